import assert from "node:assert/strict";

import { mustNotSay, mustSay } from "../house.mjs";

const OWN = "中央";

/** The caller rang the wrong centre: the number of the right one, and nothing else, for a reason. */
export default async function (house) {
  const { href, name, number } = await somebodyElsewhere(house);
  const page = await house.signedIn(house.login("social_worker"));
  await page.getByRole("navigation", { name: "メニュー" }).getByRole("link", { name: "照会" }).click();
  await house.picture(page, "inquiry");

  await house.type(page, /^被保険者番号/, number);
  await page.keyboard.press("Enter");
  await mustSay(page, "まだ照会していません。");
  await house.mustBeAccessible(page, "inquiry without a reason");
  assert.equal(await page.getByLabel(/^被保険者番号/).inputValue(), number, "the number has to be typed again");
  await house.choose(page, /^照会の理由/, "電話相談を受けた");
  await house.tabTo(page, page.getByRole("button", { name: "照会する" }));
  await page.keyboard.press("Enter");

  await page.getByRole("heading", { name: /の担当です。$/ }).waitFor();
  const said = await page.locator("main").innerText();
  // The invented town has no telephones of centres yet; then the city is named instead.
  assert.match(said, /\d{2,4}-\d{2,4}-\d{4}|電話番号は登録されていません。市/, "nobody is named to ring");
  await mustNotSay(page, name);
  assert.equal(await page.locator("main a[href^='/residents/']").count(), 0, "the answer leads to the person");
  await house.mustBeAccessible(page, "inquiry answered");
  await house.mustFit(page, "inquiry answered");
  await house.picture(page, "inquiry-answered");

  const answer = await page.goto(href);
  assert.equal(answer.status(), 404, "a person of another centre can be opened");
  await house.mustBeAccessible(page, "nobody there");
}

/** Somebody whom another centre looks after, as the city sees them. */
async function somebodyElsewhere(house) {
  const page = await house.signedIn(house.login("city_longevity"));
  await page.goto("/residents?q=サトウ&elders=1");
  const rows = page.getByRole("row").filter({ has: page.locator("a[data-row]") });
  const elsewhere = rows.filter({ hasNotText: OWN }).filter({ hasNotText: "支援措置" });
  const link = elsewhere.first().locator("a[data-row]");
  const [href, name] = [await link.getAttribute("href"), await link.innerText()];
  await link.click();
  const number = page.locator("dt", { hasText: "被保険者番号" }).locator("xpath=following-sibling::dd[1]").first();
  const found = { href, name, number: (await number.innerText()).trim() };
  assert.match(found.number, /^\S{10}$/, `${href} has no insured number`);
  await page.context().close();
  return found;
}
