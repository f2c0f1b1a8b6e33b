// The consultation form, filled in by keyboard as staff do while the caller talks.

/** Tabs through the form from wherever the focus is; `more` names what else is to be written. */
export async function fillConsultation(house, page, words) {
  if (words.receivedOn) await house.type(page, /^受付日/, words.receivedOn);
  await house.pick(page, /^相談方法/, "電話");
  await house.choose(page, /^相談者/, words.caller ?? "子");
  if (words.callerName) await house.type(page, /^相談者の氏名/, words.callerName);
  if (words.clientName) await house.type(page, /^対象者の名前/, words.clientName);
  if (words.clientNote) await house.type(page, /^対象者の手がかり/, words.clientNote);
  await house.pick(page, /^緊急度/, "C 通常(2週間以内)");
  await house.tick(page, words.category ?? "認知症");
  await house.type(page, /^相談内容/, words.content);
  await house.tick(page, "情報提供");
  if (words.response) await house.type(page, /^対応内容/, words.response);
  await house.choose(page, /^帰結/, "継続");
  if (words.nextAction) await house.type(page, /^次にすること/, words.nextAction);
  if (words.nextDueOn) await house.type(page, /^期限/, words.nextDueOn);
}
