import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { fillConsultation } from "../consultation.mjs";
import { mustNotSay, mustSay } from "../house.mjs";

const CONTENT = "近所の犬の声で眠れないとのこと。";

/** Who wrote, from where, with what result; and a file of it, without a word of what was written. */
export default async function (house) {
  const social = house.login("social_worker");
  const staff = await house.signedIn(social);
  await staff.goto("/consultations/new");
  await fillConsultation(house, staff, { content: CONTENT });
  await house.save(staff);
  await mustSay(staff, "保存しました。");

  const page = await house.signedIn(house.login("system_admin"));
  await page.getByRole("navigation", { name: "メニュー" }).getByRole("link", { name: "アクセスログ" }).click();
  await house.picture(page, "access-log");
  await house.type(page, "職員（ID・氏名）", social.login);
  await page.keyboard.press("Enter");
  const rows = page.getByRole("table", { name: "アクセスログ" }).getByRole("row");
  await rows.filter({ hasText: social.login }).filter({ hasText: "127.0.0.1" }).first().waitFor();
  await rows.filter({ hasText: "相談の記録" }).first().waitFor();
  await mustNotSay(page, CONTENT);

  const link = page.getByRole("link", { name: "CSVで書き出す" });
  await house.tabTo(page, link);
  await page.keyboard.press("Enter");
  await takeOut(page);
  const give = page.getByRole("button", { name: "台帳に載せて受け取る" });
  const [download] = await Promise.all([page.waitForEvent("download"), give.click()]);
  assert.match(download.suggestedFilename(), /^access-log-\d{8}-\d+\.csv$/);
  mustBeAFileOfNumbers(await readFile(await download.path(), "utf8"), social.login);

  await page.getByRole("link", { name: "アクセスログ" }).first().click();
  await page.getByRole("link", { name: "記録の検査" }).click();
  await mustSay(page, "欠け、書換え、入替えはありません。");
}

/** What the register asks of every file that leaves. */
async function takeOut(page) {
  await page.locator("input[name=encrypted][value=no]").check();
  await page.fill("#protection", "施錠できるかばんで手渡し");
  await page.selectOption("#purpose", "06");
  await page.selectOption("#medium", "06");
  await page.fill("#destination", "市役所 監査担当");
  await page.locator("input[name=stays]").check();
}

function mustBeAFileOfNumbers(file, login) {
  assert.ok(file.startsWith("\u{feff}番号,日時,職員ID,"), `Excel would misread it: ${file.slice(0, 40)}`);
  const lines = file.split("\r\n").filter((line) => line !== "");
  assert.ok(lines.length > 2, "the file is empty");
  for (const line of lines.slice(1)) assert.equal(line.split(",")[2], login, "an entry of somebody else");
  assert.ok(lines.some((line) => line.includes("相談の記録")), "the saved record is not in the file");
  assert.ok(!file.includes(CONTENT), "the file holds what was written");
}
