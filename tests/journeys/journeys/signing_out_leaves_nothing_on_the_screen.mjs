import assert from "node:assert/strict";

import { mustBeTitled, mustNotSay, mustPointAtProblems, mustSay } from "../house.mjs";

/** A wrong password says nothing about what was wrong; after signing out nothing is left to look at. */
export default async function (house) {
  const clerk = house.login("clerk");
  const page = await house.window();
  await page.goto("/");
  await page.getByLabel("職員ID").waitFor();
  await page.goto("/sign-in");
  await house.picture(page, "sign-in");
  await house.mustBeAccessible(page, "sign-in");
  await house.mustFit(page, "sign-in");

  await house.signIn(page, clerk, "not the password");
  await mustSay(page, "職員IDかパスワードが違います");
  await mustPointAtProblems(page);
  await house.mustBeAccessible(page, "refused sign-in");
  assert.equal(await page.getByLabel("職員ID").inputValue(), clerk.login, "the ID has to be typed again");

  await house.type(page, "パスワード", clerk.password);
  await page.keyboard.press("Enter");
  await mustBeTitled(page, "今日の予定");
  await page.getByRole("link", { name: "相談記録", exact: true }).click();
  await page.getByRole("table").getByRole("link").first().click();
  const record = page.url();
  const content = await page.getByRole("region", { name: "相談内容" }).innerText();

  await page.getByRole("button", { name: "サインアウト" }).click();
  await mustSay(page, "サインアウトしました。");
  await page.goBack();
  await page.getByLabel("職員ID").waitFor();
  await mustNotSay(page, content);
  const answer = await page.goto(record);
  assert.equal(answer.status(), 401);
  await mustNotSay(page, content);
  await house.mustBeAccessible(page, "sign-in asked for by an address");

  // Nothing that the sign-in form carries may lead elsewhere.
  await house.signIn(page, clerk);
  assert.equal(page.url(), record, "signing in does not lead on to the page that was asked for");
}
