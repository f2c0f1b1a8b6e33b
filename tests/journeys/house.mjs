// What all journeys share: a browser that trusts the town's authority, staff who sign in, and the
// checks that every page passes: accessible, no sideways scrolling, strict policy kept.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import tls from "node:tls";

import { chromium } from "playwright-core";

const PC = { width: 1280, height: 1024 };
const TABLET = { width: 1200, height: 800 };
/** 1280 × 1024 at 200 % zoom. */
const ZOOMED = { width: 640, height: 512 };
/** Longest wait for anything that a page should show, milliseconds, unless the town says that it is slow. */
const WAIT_MS = 10_000;
/** More Tab presses than any page has stops. */
const TABS_MAX = 400;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const ARTEFACTS = fileURLToPath(new URL("../../target/artefacts/journeys/", import.meta.url));
const PICTURES = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** SHA-256 of the server's public key, after Node has checked the chain against the CA file. */
async function trustedKey(url, caFile) {
  const { hostname: host, port } = new URL(url);
  const socket = tls.connect({ host, port, servername: host, ca: readFileSync(caFile), ALPNProtocols: ["http/1.1"] });
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  const key = socket.getPeerX509Certificate().publicKey.export({ type: "spki", format: "der" });
  socket.destroy();
  return createHash("sha256").update(key).digest("base64");
}

export class House {
  complaints = [];
  /** A directory that ends with the town. */
  scratch = process.env.HOME;
  #browser;
  #town;

  static async open(town) {
    mkdirSync(ARTEFACTS, { recursive: true });
    const house = new House();
    house.#town = town;
    const key = await trustedKey(town.url, town.ca_file);
    house.#browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: [...FLAGS, `--ignore-certificate-errors-spki-list=${key}`],
    });
    return house;
  }

  async close() {
    await this.#browser.close();
  }

  // --- people ------------------------------------------------------------------------------

  /** The first login of a role, in a centre when one is named. */
  login(role, centre) {
    const found = this.#town.logins.find((l) => l.role === role && (!centre || l.centre === centre));
    assert.ok(found, `the town has no ${role} ${centre ?? ""}`);
    return found;
  }

  roles() {
    return [...new Set(this.#town.logins.map((login) => login.role))];
  }

  /** A browser window in which nobody has signed in yet. */
  async window(options = {}) {
    const context = await this.#browser.newContext({
      baseURL: this.#town.url,
      viewport: PC,
      locale: "ja-JP",
      timezoneId: "Asia/Tokyo",
      acceptDownloads: true,
      ...options,
    });
    context.setDefaultTimeout(this.#town.wait_ms ?? WAIT_MS);
    const page = await context.newPage();
    this.#listen(page);
    return page;
  }

  async signedIn(login, options) {
    const page = await this.window(options);
    await page.goto("/sign-in");
    await this.signIn(page, login);
    await page.getByRole("button", { name: "サインアウト" }).waitFor();
    await page.waitForLoadState("load");
    return page;
  }

  /** Another tab of the same browser: signed in as in `page`. */
  async sibling(page) {
    const tab = await page.context().newPage();
    this.#listen(tab);
    return tab;
  }

  async signIn(page, login, password = login.password) {
    await page.getByLabel("職員ID").fill(login.login);
    await page.getByLabel("パスワード", { exact: false }).fill(password);
    await page.getByRole("button", { name: /^サインイン/ }).click();
  }

  // --- keyboard ----------------------------------------------------------------------------

  /** Presses Tab until `target` has the focus. */
  async tabTo(page, target) {
    for (let presses = 0; presses < TABS_MAX; presses += 1) {
      if (await target.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab never reaches ${target}`);
  }

  /** Tabs to the field of this label and types over what it holds. */
  async type(page, label, words) {
    await this.tabTo(page, page.getByLabel(label));
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText(words);
  }

  /** The key that saves; nobody presses it before the page has come whole, with its script. */
  async save(page) {
    await page.waitForLoadState("load");
    await page.keyboard.press("Alt+s");
  }

  /** Tabs to a group of radio buttons, then arrows to the wanted one. */
  async pick(page, group, label) {
    const radios = page.getByRole("group", { name: group }).getByRole("radio");
    const wanted = page.getByRole("group", { name: group }).getByRole("radio", { name: label });
    await this.tabTo(page, radios.first());
    await page.keyboard.press("Space");
    for (let presses = await radios.count(); presses > 0 && !(await wanted.isChecked()); presses -= 1) {
      await page.keyboard.press("ArrowDown");
    }
    assert.ok(await wanted.isChecked(), `arrow keys never reach ${label}`);
  }

  async tick(page, label) {
    await this.tabTo(page, page.getByRole("checkbox", { name: label }));
    await page.keyboard.press("Space");
  }

  /** Tabs to a list and arrows down to the wanted choice. */
  async choose(page, list, label) {
    const box = page.getByRole("combobox", { name: list });
    const now = () => box.evaluate((element) => element.selectedOptions[0]?.label);
    await this.tabTo(page, box);
    for (let presses = await box.locator("option").count(); presses > 0 && (await now()) !== label; presses -= 1) {
      await page.keyboard.press("ArrowDown");
    }
    assert.equal(await now(), label, `arrow keys never reach ${label}`);
  }

  // --- what every page passes ---------------------------------------------------------------

  /** No violation of WCAG 2.2 AA, nor of axe's best practice. */
  async mustBeAccessible(page, where) {
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(
      (tags) => axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] }),
      STANDARD,
    );
    const said = violations.flatMap((rule) =>
      rule.nodes.map((node) => `${rule.id}: ${rule.help}\n    ${node.html}\n    ${node.failureSummary}`),
    );
    assert.ok(said.length === 0, `${where} (${page.url()}) is not accessible:\n  ${said.join("\n  ")}`);
  }

  /** Nothing scrolls sideways: on the office PC, on the tablet, at 200 % zoom. */
  async mustFit(page, where) {
    const views = [["PC", PC, false], ["tablet", TABLET, true], ["200 % zoom", ZOOMED, false]];
    for (const [name, size, touch] of views) {
      await this.#as(page, size, touch, async () => {
        const wide = await page.evaluate(() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          const over = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width);
          return over.slice(0, 5).map((e) => e.outerHTML.slice(0, 160));
        });
        assert.deepEqual(wide, [], `${where} (${page.url()}) scrolls sideways: ${name}`);
      });
    }
  }

  /** Neither the page nor the browser's policy had anything to complain about. */
  mustBeQuiet() {
    assert.deepEqual(this.complaints, [], "the browser complained");
  }

  #listen(page) {
    const complain = (what) => this.complaints.push(`${page.url()}: ${what}`);
    page.on("pageerror", (error) => complain(error.message));
    page.on("console", (message) => {
      // A refused form (422, 409) is an answer; what a page loads is checked below.
      const answered = message.text().startsWith("Failed to load resource: the server responded");
      if (["error", "warning"].includes(message.type()) && !answered) complain(message.text());
    });
    page.on("response", (response) => {
      const kind = response.request().resourceType();
      const headers = response.headers();
      const policy = headers["content-security-policy"] ?? "";
      if (kind !== "document" && kind !== "fetch" && response.status() >= 400) complain(`${response.status()} ${response.url()}`);
      if (kind !== "document") return;
      if (response.status() >= 500) complain(`${response.status()} ${response.url()}`);
      if (!policy.includes("default-src 'none'") || policy.includes("unsafe")) complain(`policy of ${response.url()}: ${policy}`);
      if (headers["cache-control"] !== "no-store") complain(`${response.url()} may be kept by a cache`);
    });
  }

  // --- pictures -----------------------------------------------------------------------------

  /** Both screens of the office, for whoever looks. `keep` names the README's copy. */
  async picture(page, name, keep) {
    await page.screenshot({ path: `${ARTEFACTS}${name}-1280x1024.png` });
    await this.#as(page, TABLET, true, () => page.screenshot({ path: `${ARTEFACTS}${name}-1200x800-touch.png` }));
    if (keep && process.env.HOKATSU_KEEP_PICTURES === "1") await page.screenshot({ path: `${PICTURES}${keep}.png` });
  }

  async picturesOfFailure(journey) {
    const pages = this.#browser.contexts().flatMap((context) => context.pages());
    const paths = pages.map((_, number) => `${ARTEFACTS}failed-${journey}-${number + 1}.png`);
    await Promise.all(pages.map((page, number) => page.screenshot({ path: paths[number], fullPage: true })));
    return paths;
  }

  /** Does something with the page in another size, touched by fingers or not. */
  async #as(page, size, touch, work) {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Emulation.setTouchEmulationEnabled", { enabled: touch });
    await page.setViewportSize(size);
    await work();
    await devtools.send("Emulation.setTouchEmulationEnabled", { enabled: false });
    await page.setViewportSize(PC);
    await devtools.detach();
  }
}

/** The page says this, somewhere, now or when it has come. */
export async function mustSay(page, words) {
  try {
    await page.locator("body", { hasText: words }).waitFor();
  } catch {
    const said = await page.locator("body").innerText();
    assert.fail(`${page.url()} does not say 「${words}」 but:\n${said}`);
  }
}

/** The page does not say this anywhere. */
export async function mustNotSay(page, words) {
  const said = await page.locator("body").innerText();
  assert.ok(!said.includes(words), `${page.url()} says 「${words}」`);
}

/** The page that has come, or is coming, has this heading. */
export async function mustBeTitled(page, title) {
  const heading = page.getByRole("heading", { level: 1 });
  await heading.filter({ hasText: title }).waitFor().catch(() => {});
  assert.equal(await heading.innerText(), title, page.url());
}

/** The keyboard is at the list of what is to be corrected. */
export async function mustPointAtProblems(page) {
  await page.locator("#errors:focus").waitFor();
}
