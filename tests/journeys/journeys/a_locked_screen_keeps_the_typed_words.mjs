import assert from "node:assert/strict";

import { fillConsultation } from "../consultation.mjs";
import { mustBeTitled, mustSay } from "../house.mjs";

const CONTENT = "娘さんから電話。退院は金曜の予定で、ベッドを借りたいとのこと。";

/** Up from the desk and back: with the script the page stays, without it the words come along. */
export default async function (house) {
  const nurse = house.login("nurse");
  const page = await house.signedIn(nurse);
  await page.goto("/consultations/new");
  await fillConsultation(house, page, { content: CONTENT });
  await page.getByRole("button", { name: "ロック" }).click();
  const question = page.getByRole("dialog", { name: "画面をロックしています" });
  await question.waitFor();
  await house.mustBeAccessible(page, "locked over a page");
  await page.keyboard.press("Escape");
  assert.ok(await question.isVisible(), "Escape opens nothing");
  await house.picture(page, "locked");
  const opened = page.waitForResponse((response) => response.url().endsWith("/lock/opening"));
  await question.getByLabel("パスワード").fill(nurse.password);
  await page.keyboard.press("Enter");
  assert.equal((await opened).status(), 200);
  await question.waitFor({ state: "hidden" });
  await house.save(page);
  await mustSay(page, "保存しました。");
  assert.equal(await page.getByRole("region", { name: "相談内容" }).locator("p").innerText(), CONTENT);

  const plain = await house.signedIn(nurse, { javaScriptEnabled: false });
  await plain.getByRole("button", { name: "ロック" }).click();
  await mustBeTitled(plain, "画面をロックしています");
  await plain.getByLabel("パスワード").fill(nurse.password);
  await plain.getByRole("button", { name: "ロックを解除する" }).click();
  await mustBeTitled(plain, "今日の予定");
}
