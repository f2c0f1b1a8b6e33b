import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { promisify } from "node:util";

import { fillConsultation } from "../consultation.mjs";
import { mustBeTitled, mustSay } from "../house.mjs";

const run = promisify(execFile);
const CONTENT = "夜中に何度も起きて外へ出ようとする。\n娘さんは仕事を休んで付き添っている。";
const RESPONSE = "早めの受診をすすめ、家族会の案内を送った。";

/** From the first page to the printed slip, and never a hand on the mouse. */
export default async function (house) {
  const page = await house.signedIn(house.login("social_worker"));
  const name = await findByKana(house, page);
  await personIsOnOneScreen(house, page, name);
  await house.tabTo(page, page.getByRole("link", { name: "相談を記録する" }));
  await page.keyboard.press("Enter");
  await mustBeTitled(page, "相談を記録する");
  await mustSay(page, name);
  await fillConsultation(house, page, {
    callerName: "山野 みどり",
    content: CONTENT,
    response: RESPONSE,
    nextAction: "受診の結果を聞く",
    nextDueOn: "今日",
  });
  await house.save(page);
  await mustSay(page, "保存しました。");
  await mustSay(page, RESPONSE);
  await slipIsPrinted(house, page, name);

  await house.tabTo(page, page.getByRole("link", { name }).first());
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "最近の相談" }).getByText("受診の結果を聞く").waitFor();
  await house.picture(page, "person", "person");
}

/** One key to the box, two syllables, a correction of what was misheard, one arrow, Enter. */
async function findByKana(house, page) {
  await page.keyboard.press("/");
  await page.keyboard.insertText("すず");
  await page.keyboard.press("Enter");
  await mustBeTitled(page, "住民をさがす");
  await page.locator("#find:focus").waitFor();
  await page.keyboard.insertText("さとう");
  await page.waitForURL((url) => url.searchParams.get("q") === "さとう");
  await house.mustBeAccessible(page, "found people");
  await house.mustFit(page, "found people");
  await house.picture(page, "find");

  await page.keyboard.press("ArrowDown");
  const found = page.locator("a[data-row]:focus");
  await found.waitFor();
  const name = await found.innerText();
  const kana = await page.getByRole("row").filter({ has: found }).locator(".kana").innerText();
  assert.match(kana, /^サトウ/, "the first answer is somebody else");
  await page.keyboard.press("Enter");
  await mustBeTitled(page, name);
  return name;
}

/** What the caller asks about is visible without scrolling. */
async function personIsOnOneScreen(house, page, name) {
  await house.mustBeAccessible(page, `person`);
  await house.mustFit(page, `person`);
  const { height } = page.viewportSize();
  for (const region of ["世帯", "介護保険", "要介護認定", "最近の相談"]) {
    const box = await page.getByRole("region", { name: region }).boundingBox();
    assert.ok(box.y < height, `${region} of ${name} begins below the screen`);
  }
}

/** The PDF holds what was written, and every font of it. */
async function slipIsPrinted(house, page, name) {
  const link = page.getByRole("link", { name: "記録票を印刷" });
  await house.tabTo(page, link);
  const answer = await page.context().request.get(await link.getAttribute("href"));
  assert.equal(answer.headers()["content-type"], "application/pdf");
  const file = `${house.scratch}/slip.pdf`;
  await writeFile(file, await answer.body());

  const { stdout: text } = await run("pdftotext", [file, "-"]);
  const printed = text.replace(/\s/g, "");
  for (const words of [name, CONTENT, RESPONSE, "山野みどり"]) {
    assert.ok(printed.includes(words.replace(/\s/g, "")), `the slip lacks 「${words}」:\n${text}`);
  }
  const { stdout: fonts } = await run("pdffonts", [file]);
  const embedded = fonts.split("\n").slice(2).filter(Boolean).map((line) => / (yes|no) +(yes|no) +(yes|no) /.exec(line)?.[1]);
  assert.ok(embedded.length > 0 && embedded.every((word) => word === "yes"), `a font is not in the file:\n${fonts}`);
}
