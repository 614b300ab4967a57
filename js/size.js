// Fails when a bundle outgrows what a page should have to load.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMITS = { "widget.js": 100_000, "page.js": 100_000, "browser.js": 20_000 };
for (const [name, limit] of Object.entries(LIMITS)) {
  const bytes = readFileSync(new URL(`../pvlink/static/${name}`, import.meta.url));
  const compressed = gzipSync(bytes, { level: 9 }).length;
  console.log(`${name}: ${bytes.length} bytes, ${compressed} compressed (limit ${limit})`);
  if (compressed > limit) {
    console.error(`${name} is too large.`);
    process.exitCode = 1;
  }
}
