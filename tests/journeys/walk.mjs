// Walks one journey: node walk.mjs NAME, with what `hokatsu demo --json` said on stdin.
import { text } from "node:stream/consumers";

import { House } from "./house.mjs";

const [name] = process.argv.slice(2);
const town = JSON.parse(await text(process.stdin));
const { default: journey } = await import(`./journeys/${name}.mjs`);
const house = await House.open(town);
try {
  await journey(house);
  house.mustBeQuiet();
} catch (error) {
  const pictures = await house.picturesOfFailure(name);
  console.error(error.stack ?? String(error));
  if (house.complaints.length > 0) console.error(["The browser complained:", ...house.complaints].join("\n  "));
  if (pictures.length > 0) console.error(["What the screens showed:", ...pictures].join("\n  "));
  process.exitCode = 1;
} finally {
  await house.close();
}
