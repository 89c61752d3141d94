// Measures what the first page load transfers (gzip) and what each later chunk adds; fails beyond the budget.
import { readdirSync, readFileSync, statSync } from "node:fs";

const folder = new URL("../../src/sternpost/_ui/", import.meta.url);
const page = readFileSync(new URL("index.html", folder), "utf8");
const sizes = new Map();
for (const name of readdirSync(new URL("assets/", folder)))
  if (/\.(js|css)$/.test(name)) sizes.set(name, statSync(new URL(`assets/${name}.gz`, folder)).size);
const first = [...sizes.keys()].filter((name) => page.includes(name));
const total = first.reduce((sum, name) => sum + sizes.get(name), 0);
for (const [name, size] of sizes) console.log(`${String(size).padStart(8)} B gz  ${first.includes(name) ? "first" : "later"}  ${name}`);
console.log(`first load ${(total / 1000).toFixed(1)} kB gz of 250`);
const tooLarge = [...sizes].some(([name, size]) => !first.includes(name) && size > 80_000);
if (total > 250_000 || tooLarge) process.exit(1);
