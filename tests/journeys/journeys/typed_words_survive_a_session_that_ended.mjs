import assert from "node:assert/strict";

import { fillConsultation } from "../consultation.mjs";
import { mustBeTitled, mustSay } from "../house.mjs";

const CONTENT = "母の物忘れが増えた。火の消し忘れが二度あり、\n昼は一人なので心配とのこと。".repeat(20);

/** Signed out elsewhere in the middle of a long text: it is shown, and saved after signing in. */
export default async function (house) {
  const social = house.login("social_worker");
  const page = await house.signedIn(social);
  await page.goto("/consultations/new");
  await fillConsultation(house, page, { content: CONTENT });

  const elsewhere = await house.signedIn(social);
  await elsewhere.getByRole("link", { name: "パスワード変更" }).click();
  await elsewhere.getByRole("button", { name: "すべての端末からサインアウト" }).click();
  await mustSay(elsewhere, "サインアウトしました。");

  await page.bringToFront();
  const refused = page.waitForResponse((response) => response.request().method() === "POST");
  await house.save(page);
  assert.equal((await refused).status(), 401);
  await mustSay(page, "まだ何も保存されていません。");
  await house.mustBeAccessible(page, "session ended");
  await house.mustFit(page, "session ended");
  await house.picture(page, "session-ended");

  await house.signIn(page, social);
  await mustBeTitled(page, "入力の続き");
  const shown = page.getByRole("textbox").filter({ hasText: "物忘れ" });
  assert.equal(await shown.inputValue(), CONTENT);
  await house.mustBeAccessible(page, "typed words after signing in");
  await house.mustFit(page, "typed words after signing in");
  await house.picture(page, "typed-words-after-signing-in");

  await page.getByRole("button", { name: "続きから保存する" }).click();
  await mustSay(page, "保存しました。");
  assert.equal(await page.getByRole("region", { name: "相談内容" }).locator("p").innerText(), CONTENT);
}
