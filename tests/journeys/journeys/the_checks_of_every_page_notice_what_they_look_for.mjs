import assert from "node:assert/strict";

/** What is wrong on purpose must be told, or the walks through all pages would prove nothing. */
export default async function (house) {
  const page = await house.signedIn(house.login("clerk"));
  await house.mustBeAccessible(page, "first page");
  await house.mustFit(page, "first page");

  await page.evaluate(() => document.querySelector("main").append(document.createElement("textarea")));
  await assert.rejects(house.mustBeAccessible(page, "a field without a label"), /Form elements must have labels/);

  await page.evaluate(() => document.querySelector("h1").insertAdjacentText("beforeend", "―".repeat(200)));
  await page.evaluate(() => (document.querySelector("h1").className = "nowrap"));
  await assert.rejects(house.mustFit(page, "a heading that is too wide"), /scrolls sideways: PC/);

  const refused = page.waitForEvent("console", (message) => message.text().includes("Content Security Policy"));
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    return window.ran === true;
  });
  await refused;
  assert.ok(!ran, "a script that the page did not bring was run");
  assert.throws(() => house.mustBeQuiet(), /the browser complained/);
  house.complaints.length = 0;
}
