import assert from "node:assert/strict";

import { mustBeTitled, mustSay } from "../house.mjs";

const KEY = {
  protocol: "ctap2",
  transport: "usb",
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
};

/**
 * The browser's own security key: enrolled at the first sign-in, asked for at the next.
 * No picture and no other size on the way: both end a DevTools session, and the key with it.
 */
export default async function (house) {
  const social = house.login("social_worker");
  const page = await house.window();
  const browser = await page.context().newCDPSession(page);
  await browser.send("WebAuthn.enable");
  const { authenticatorId } = await browser.send("WebAuthn.addVirtualAuthenticator", { options: KEY });

  await page.goto("/sign-in");
  await house.signIn(page, social);
  await mustSay(page, "はじめに一度だけ登録してください。");
  await house.mustBeAccessible(page, "led to enrol");
  await page.getByRole("button", { name: "セキュリティキーを登録する" }).click();
  await mustBeTitled(page, "セキュリティキーの登録");
  await page.waitForLoadState("load");
  await house.mustBeAccessible(page, "a key is enrolled");
  await page.getByLabel("この方法の名前").fill("青いキー");
  await page.getByRole("button", { name: "登録する" }).click();
  await page.waitForURL((url) => url.pathname === "/");
  const { credentials } = await browser.send("WebAuthn.getCredentials", { authenticatorId });
  assert.equal(credentials.length, 1);
  await page.goto("/second-factors");
  await mustSay(page, "青いキー");
  await house.mustBeAccessible(page, "one's own factors");

  await page.getByRole("button", { name: "サインアウト" }).click();
  await page.goto("/sign-in");
  await house.signIn(page, social);
  await mustBeTitled(page, "本人の再確認");
  await page.waitForLoadState("load");
  await house.mustBeAccessible(page, "asked for the key");
  // The password alone leads back to the question, whatever is asked for.
  await page.goto("/residents");
  await mustBeTitled(page, "本人の再確認");
  await page.waitForLoadState("load");
  await page.getByRole("button", { name: "セキュリティキーで確かめる" }).click();
  await page.waitForURL("**/residents");
}
