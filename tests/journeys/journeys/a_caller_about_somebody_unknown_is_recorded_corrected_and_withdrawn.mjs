import assert from "node:assert/strict";

import { fillConsultation } from "../consultation.mjs";
import { mustBeTitled, mustPointAtProblems, mustSay } from "../house.mjs";

const FIRST = "駅前で毎朝うずくまっている高齢の女性がいる。";
const CORRECTED = "駅前で毎朝すわり込んでいる高齢の女性がいる。声をかけると笑う。";

/** A neighbour rings about somebody without a name: draft, record, correction, conflict, withdrawal. */
export default async function (house) {
  const social = house.login("social_worker");
  const page = await house.signedIn(social);
  await page.getByRole("link", { name: "相談を記録する" }).click();
  await formWithErrors(house, page);
  const record = await draftIsOfferedAgain(house, page);
  await correctionKeepsTheFormerVersion(house, page, record);
  await staleFormShowsBothVersions(house, page, record);
  await withdrawalNeedsAReason(house, page);
}

async function formWithErrors(house, page) {
  await house.mustBeAccessible(page, "consultation form");
  await house.save(page);
  await mustSay(page, "まだ保存していません。");
  await mustPointAtProblems(page);
  await house.mustBeAccessible(page, "consultation form with errors");
  await house.mustFit(page, "consultation form with errors");
  await house.picture(page, "consultation-form-with-errors");

  const problem = page.locator("#errors").getByRole("link", { name: /相談内容/ });
  await house.tabTo(page, problem);
  await page.keyboard.press("Enter");
  await page.keyboard.press("x");
  assert.equal(await page.getByRole("textbox", { name: /^相談内容/ }).inputValue(), "x", "a problem does not lead to its field");
  await page.keyboard.press("Backspace");
}

async function draftIsOfferedAgain(house, page) {
  await page.goto("/consultations/new");
  await fillConsultation(house, page, {
    caller: "近隣・知人",
    clientName: "名前はわからない",
    clientNote: "七十代くらい、赤い帽子",
    category: "見守り・安否",
    content: FIRST,
  });
  await page.getByText("下書きを保存しました").waitFor();
  await page.goto("/");
  await page.getByRole("link", { name: "新しい相談の続きを書く" }).click();
  await mustBeTitled(page, "下書きがあります");
  await mustSay(page, FIRST);
  await house.mustBeAccessible(page, "offered draft");
  await house.mustFit(page, "offered draft");
  await house.picture(page, "draft-offered");
  await page.getByRole("link", { name: "続ける" }).click();
  assert.equal(await page.getByRole("textbox", { name: /^相談内容/ }).inputValue(), FIRST);
  assert.ok(await page.getByRole("radio", { name: "電話" }).isChecked(), "the draft lost a choice");
  await house.save(page);
  await mustSay(page, "保存しました。");
  await mustSay(page, "特定されていません");
  await mustSay(page, "赤い帽子");
  return page.url().split("?")[0];
}

async function correctionKeepsTheFormerVersion(house, page, record) {
  await page.getByRole("link", { name: "訂正する" }).click();
  await correct(house, page, CORRECTED, "聞き直した");
  await mustSay(page, "訂正を保存しました。前の内容も残っています。");
  await mustSay(page, CORRECTED);
  await mustSay(page, "訂正の理由：聞き直した");
  await house.picture(page, "consultation");
  await page.getByRole("link", { name: "第1版" }).click();
  await mustSay(page, "前の版を読んでいます。");
  await mustSay(page, FIRST);
  await house.mustBeAccessible(page, "former version");
  await page.goto(record);
}

async function correct(house, page, content, reason) {
  await page.getByRole("textbox", { name: /^相談内容/ }).fill(content);
  await page.getByRole("textbox", { name: /^訂正の理由/ }).fill(reason);
  await house.save(page);
}

/** Two tabs correct the same version: the second is told, sees both, and loses no word. */
async function staleFormShowsBothVersions(house, page, record) {
  const second = await house.sibling(page);
  for (const tab of [page, second]) await tab.goto(`${record}/edit`);
  await correct(house, page, `${CORRECTED}（一つめの窓）`, "一つめ");
  await mustSay(page, "訂正を保存しました。");

  const mine = `${CORRECTED}（二つめの窓）`;
  const answer = second.waitForResponse((response) => response.url().endsWith("/versions"));
  await correct(house, second, mine, "二つめ");
  assert.equal((await answer).status(), 409);
  await mustSay(second, "あなたの文字は消えていません。");
  const row = second.getByRole("row", { name: /相談内容/ });
  await row.getByRole("cell", { name: "（一つめの窓）" }).waitFor();
  await row.getByRole("cell", { name: "（二つめの窓）" }).waitFor();
  assert.equal(await second.getByRole("textbox", { name: /^相談内容/ }).inputValue(), mine);
  await house.mustBeAccessible(second, "both versions");
  await house.mustFit(second, "both versions");
  await house.picture(second, "both-versions");
  await house.save(second);
  await mustSay(second, "訂正を保存しました。");
  await mustSay(second, mine);
  await second.close();
}

async function withdrawalNeedsAReason(house, page) {
  await page.getByRole("link", { name: "取り下げる" }).click();
  await page.getByRole("button", { name: "取り下げる" }).click();
  await mustSay(page, "取り下げる理由を入力してください。");
  await house.mustBeAccessible(page, "withdrawal without a reason");
  await house.picture(page, "withdrawal");
  await house.type(page, /^取り下げる理由/, "別の窓口の相談だった");
  await house.tabTo(page, page.getByRole("button", { name: "取り下げる" }));
  await page.keyboard.press("Enter");
  await mustSay(page, "取り下げました。記録は残っています。");
  await mustSay(page, "理由：別の窓口の相談だった");
  await house.mustBeAccessible(page, "withdrawn consultation");
}
