import assert from "node:assert/strict";

/** Fewest pages that a walk through all roles must reach; fewer means that a menu has lost links. */
const PAGES_MIN = 120;
/** Pages that a form leads to and no link: somebody found, nobody found. */
const ASKED = {
  "/residents": ["/residents?q=さとう", "/residents?q=ぬぬぬ"],
  "/consultations": ["/consultations?text=ぬぬぬ"],
};

/** From the first page over every link, in every role: no violation, no sideways scrolling. */
export default async function (house) {
  const counts = {};
  for (const role of house.roles()) counts[role] = await walk(house, role);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const words = Object.entries(counts).map(([role, count]) => `${role} ${count}`);
  console.log(`pages × roles checked: ${total} (${words.join(", ")})`);
  assert.ok(total >= PAGES_MIN, `only ${total} pages were reached`);
}

async function walk(house, role) {
  const page = await house.signedIn(house.login(role));
  const seen = new Set(["/"]);
  const waiting = ["/"];
  for (const address of waiting) {
    const answer = await page.goto(address);
    assert.ok(answer.ok(), `${role}: a link leads to ${address}, which answers ${answer.status()}`);
    await house.mustBeAccessible(page, role);
    await house.mustFit(page, role);
    waiting.push(...(ASKED[address] ?? []));
    for (const link of await links(page)) {
      if (seen.has(kind(link))) continue;
      seen.add(kind(link));
      waiting.push(link);
    }
  }
  await page.context().close();
  return waiting.length;
}

/** Addresses of the pages that this one links to; files are no pages. */
async function links(page) {
  const hrefs = await page.locator("a[href]").evaluateAll((all) => all.map((a) => a.href));
  const urls = hrefs.map((href) => new URL(href));
  const ours = urls.filter((url) => url.origin === new URL(page.url()).origin);
  return ours.filter((url) => !/(\.(pdf|csv|crt|jsonl)|\/file)$/.test(url.pathname)).map((url) => url.pathname + url.search);
}

/** Pages of one kind look alike: /consultations/17 and /consultations/18, ?page=2 and ?page=3. */
function kind(address) {
  const [path, query] = address.split("?");
  const keys = [...new URLSearchParams(query).keys()].sort().join("&");
  return `${path.replace(/\d+/g, "N")}?${keys}`;
}
