import assert from "node:assert/strict";

import { fillConsultation } from "../consultation.mjs";
import { mustSay } from "../house.mjs";

const CONTENT = "退院後の暮らしが心配。";
const ACTION = "退院の日を家族に聞く";
const DONE = "電話で聞いた。十二日に退院。";

/** What is overdue longest stands on top of the first page; done by keyboard, it is gone from there. */
export default async function (house) {
  const page = await house.signedIn(house.login("social_worker"));
  await page.goto("/consultations/new");
  const dates = { receivedOn: "R2.4.1", nextDueOn: "R2.4.2" };
  await fillConsultation(house, page, { content: CONTENT, nextAction: ACTION, ...dates });
  await house.save(page);
  await mustSay(page, "保存しました。");
  const record = page.url().split("?")[0];

  await page.goto("/");
  await house.picture(page, "my-day");
  const left = await overdue(page);
  const row = page.getByRole("table", { name: "次にすること" }).getByRole("row").nth(1);
  await row.filter({ hasText: ACTION }).filter({ hasText: "日超過" }).waitFor();
  await house.tabTo(page, row.getByRole("link"));
  await page.keyboard.press("Enter");
  await page.waitForURL(record);
  await house.type(page, /^したこと/, DONE);
  await house.tabTo(page, page.getByRole("button", { name: "完了にする" }));
  await page.keyboard.press("Enter");
  await mustSay(page, "次回予定を完了にしました。");
  await mustSay(page, DONE);
  assert.equal(await page.getByRole("button", { name: "完了にする" }).count(), 0, "it can be done twice");
  await house.mustBeAccessible(page, "follow-up done");

  await page.goto("/");
  assert.equal(await overdue(page), left - 1);
  assert.equal(await page.getByText(ACTION).count(), 0, "what is done still waits");
}

/** The number on the counter of what is overdue; a counter that would say 0 is not shown. */
async function overdue(page) {
  const counter = page.getByRole("listitem").filter({ hasText: "期限を過ぎた予定" }).locator("strong");
  return (await counter.count()) === 0 ? 0 : Number(await counter.innerText());
}
