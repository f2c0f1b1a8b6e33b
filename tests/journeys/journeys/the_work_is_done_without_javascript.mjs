import assert from "node:assert/strict";

import { mustBeTitled, mustSay } from "../house.mjs";

const CONTENT = "配食サービスを始めたい。";

/** The script did not load: slower, but everything can be found, opened, written and saved. */
export default async function (house) {
  const page = await house.signedIn(house.login("nurse"), { javaScriptEnabled: false });
  await page.getByLabel("住民をさがす").fill("たなか");
  await page.getByRole("button", { name: "さがす" }).click();
  await mustBeTitled(page, "住民をさがす");
  const row = page.locator("a[data-row]").first();
  const name = await row.innerText();
  await row.click();
  await mustBeTitled(page, name);
  await page.getByRole("link", { name: "相談を記録する" }).click();

  await page.getByRole("button", { name: "保存する" }).click();
  await mustSay(page, "まだ保存していません。");
  await page.getByLabel("来所").check();
  await page.getByLabel(/^相談者 ?必須/).selectOption({ label: "本人" });
  await page.getByLabel("D 情報のみ").check();
  await page.getByLabel("保険外サービス").check();
  await page.getByLabel(/^相談内容/).fill(CONTENT);
  await page.getByRole("button", { name: "下書き保存" }).click();
  await mustSay(page, "下書きを保存しました。記録としてはまだ保存していません。");
  assert.equal(await page.getByLabel(/^相談内容/).inputValue(), CONTENT);
  assert.ok(await page.getByLabel("来所").isChecked(), "the draft lost a choice");
  await page.getByLabel(/^帰結/).selectOption({ label: "継続" });
  await page.getByRole("button", { name: "保存する", exact: true }).click();
  await mustSay(page, "保存しました。");
  await mustSay(page, name);
  await mustSay(page, CONTENT);

  await page.getByRole("button", { name: "サインアウト" }).click();
  await mustSay(page, "サインアウトしました。");
}
