// Fails when the widget's bundle outgrows what a notebook page should have to load.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 100_000;
const bundle = new URL("../pvlink/static/widget.js", import.meta.url);
const bytes = readFileSync(bundle);
const compressed = gzipSync(bytes, { level: 9 }).length;
console.log(`widget.js: ${bytes.length} bytes, ${compressed} compressed (limit ${LIMIT})`);
if (compressed > LIMIT) {
  console.error("The widget's bundle is too large.");
  process.exit(1);
}
