import assert from "node:assert/strict";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { mustBeTitled, mustNotSay, mustSay } from "../house.mjs";

/** Attachments that the town has at most. */
const ATTACHMENTS_MAX = 60;
/** People that the town has before one whom this manager meets and who is not under 支援措置. */
const RESIDENTS_MAX = 60;
/** A copy of a small town's database is fetched in seconds; the machine may be busy. */
const FETCHED_MS = 60_000;

/** A manager brings back what was withdrawn, and the bytes of a damaged file; another centre's meets nothing. */
export default async function (house) {
  const page = await house.signedIn(house.login("centre_manager", "0101"));
  const record = await withdrawnConsultationComesBack(house, page);
  const file = await withdrawnFileComesBack(house, page);
  await damagedBytesComeFromABackup(house, page, file);
  await theCopyOfABackupIsLookedInto(house, page, record);
  await anotherCentreMeetsNothing(house, [record, file]);
}

async function withdrawnConsultationComesBack(house, page) {
  await page.goto("/consultations?from=");
  await page.locator("a[data-row]").first().click();
  await page.getByRole("link", { name: "取り下げる" }).waitFor();
  const record = new URL(page.url()).pathname;
  await page.getByRole("link", { name: "取り下げる" }).click();
  await house.type(page, /^取り下げる理由/, "まちがえて取り下げた");
  await page.getByRole("button", { name: "取り下げる" }).click();
  await mustSay(page, "取り下げました。");

  await page.goto("/former-states");
  await mustSay(page, "まちがえて取り下げた");
  await house.mustBeAccessible(page, "former states");
  await house.mustFit(page, "former states");
  await house.picture(page, "former-states");
  await page.locator("section", { hasText: "取り下げた相談" }).locator("a[data-row]").first().click();
  await mustSay(page, "違う項目（1）");
  await house.save(page);
  await mustSay(page, "戻す理由を入力してください。");
  await house.mustBeAccessible(page, "comparison with an error");
  await house.mustFit(page, "comparison with an error");
  await house.picture(page, "former-state-of-a-consultation");
  await house.type(page, /^戻す理由/, "取下げは誤り");
  await house.save(page);
  await mustSay(page, "以前の状態に戻しました。");
  await mustNotSay(page, "この相談は取り下げられています");
  return record;
}

/** As `mustSay`, of what takes another process and its repositories. */
async function mustSayInTheEnd(page, words) {
  await page.locator("body", { hasText: words }).waitFor({ timeout: FETCHED_MS }).catch(() => {});
  await mustSay(page, words);
}

/** The first attachment that this manager meets. */
async function someFile(page) {
  for (let id = 1; id <= ATTACHMENTS_MAX; id += 1) {
    const answer = await page.goto(`/attachments/${id}`);
    if (answer.status() === 200) return `/attachments/${id}`;
  }
  return assert.fail("the town has no attachment for this manager");
}

async function withdrawnFileComesBack(house, page) {
  const file = await someFile(page);
  await page.getByText("添付を取り消す", { exact: true }).first().click();
  await house.type(page, /^取り消す理由/, "別の方のものと思った");
  await page.getByRole("button", { name: "添付を取り消す" }).click();
  await mustSay(page, "添付を取り消しました。");
  await page.goto(file);
  await page.getByRole("link", { name: "以前の状態（元に戻す）" }).click();
  await mustSay(page, "違う項目（1）");
  await house.picture(page, "former-state-of-a-file");
  await house.type(page, /^戻す理由/, "同じ方のものだった");
  await page.getByRole("button", { name: "すべて戻す" }).click();
  await mustSay(page, "以前の状態に戻しました。");
  await page.getByRole("link", { name: /中身を開く/ }).waitFor();
  return file;
}

function bend(directory) {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) bend(path);
    else writeFileSync(path, "bent");
  }
}

async function damagedBytesComeFromABackup(house, page, file) {
  bend(join(house.scratch, "town/data/attachments"));
  await page.goto(`${file}/former-state`);
  await mustSay(page, "ファイルの中身が失われているか、壊れています");
  await house.mustBeAccessible(page, "damaged file");
  await house.mustFit(page, "damaged file");
  await house.picture(page, "damaged-file");
  await page.getByRole("button", { name: "中身をバックアップから戻す" }).click();
  await mustSayInTheEnd(page, "ファイルの中身をバックアップから戻しました。");
  await page.goto(`${file}/former-state`);
  await mustNotSay(page, "壊れています");
}

async function theCopyOfABackupIsLookedInto(house, page, record) {
  await page.goto("/former-states");
  await page.getByRole("link", { name: "どの控えがあるかを調べる" }).click();
  await page.getByRole("button", { name: "控えを開く" }).waitFor({ timeout: FETCHED_MS });
  await page.getByRole("combobox", { name: /^どの控えを開くか/ }).selectOption({ index: 1 });
  await house.type(page, /^開く理由/, "照らし合わせる");
  await house.mustBeAccessible(page, "copies to choose from");
  await house.mustFit(page, "copies to choose from");
  await house.picture(page, "copies-to-choose-from");
  const asked = Date.now();
  await page.getByRole("button", { name: "控えを開く" }).click();
  await page.getByRole("heading", { name: "この控えと比べる" }).waitFor({ timeout: FETCHED_MS });
  console.log(`a copy of the small town was there after ${Date.now() - asked} ms`);
  await house.mustBeAccessible(page, "opened copy");
  await house.mustFit(page, "opened copy");
  await house.picture(page, "opened-copy");
  const opening = page.url().split("/").pop();
  const looked = Date.now();
  await page.goto(`${record}/former-state?opening=${opening}`);
  await mustSay(page, "バックアップ「");
  console.log(`one record out of it was there after ${Date.now() - looked} ms`);
  await house.picture(page, "record-in-a-copy");
  await page.goto(`${await somebody(page)}/former-state?opening=${opening}`);
  for (const part of ["世帯", "介護保険の資格", "要介護認定", "担当"]) {
    await page.getByRole("heading", { name: part, exact: true }).waitFor();
  }
  await house.mustBeAccessible(page, "person in a copy");
  await house.mustFit(page, "person in a copy");
  await house.picture(page, "person-in-a-copy");
  await page.goto(`/former-states/openings/${opening}`);
  await page.getByRole("button", { name: "控えを閉じる" }).click();
  await mustSay(page, "控えを閉じ、写しを消しました。");
}

/** The first person whom this manager opens without being asked why. */
async function somebody(page) {
  for (let id = 1; id <= RESIDENTS_MAX; id += 1) {
    const answer = await page.goto(`/residents/${id}`);
    const link = page.getByRole("link", { name: "以前の状態" });
    if (answer.ok() && (await link.count()) > 1) return `/residents/${id}`;
  }
  return assert.fail("this manager meets nobody");
}

async function anotherCentreMeetsNothing(house, records) {
  const page = await house.signedIn(house.login("centre_manager", "0102"));
  for (const record of records) {
    const answer = await page.goto(`${record}/former-state`);
    assert.equal(answer.status(), 404, record);
    await mustBeTitled(page, "見つかりません");
  }
  await page.context().close();
}
