// Fails when a bundle outgrows what a page should have to load.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 100_000;
for (const name of ["widget.js", "page.js"]) {
  const bytes = readFileSync(new URL(`../pvlink/static/${name}`, import.meta.url));
  const compressed = gzipSync(bytes, { level: 9 }).length;
  console.log(`${name}: ${bytes.length} bytes, ${compressed} compressed (limit ${LIMIT})`);
  if (compressed > LIMIT) {
    console.error(`${name} is too large.`);
    process.exitCode = 1;
  }
}
