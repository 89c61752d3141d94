// Fails when the lockfile names a registry or lacks a platform of a native tool, which would break `npm ci` elsewhere.
import { readFileSync } from "node:fs";

const { packages } = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"));
const wanted = [
  /linux-x64(-gnu)?$/, /linux-arm64(-gnu)?$/, /linux-x64(-musl)?$/, /linux-arm64(-musl)?$/,
  /darwin-x64$/, /darwin-arm64$/, /win32-x64(-msvc)?$/,
];
const faults = [];
for (const [path, entry] of Object.entries(packages)) {
  if (entry.resolved) faults.push(`${path} names a registry`);
  if (entry.hasInstallScript && !entry.optional) faults.push(`${path} needs an install script`);
  const natives = Object.keys(entry.optionalDependencies ?? {}).filter((name) => /(linux|darwin|win32)/.test(name));
  if (natives.length === 0) continue;
  for (const platform of wanted) {
    const found = natives.find((name) => platform.test(name));
    if (!found) faults.push(`${path} offers nothing for ${platform}`);
    else if (!packages[`node_modules/${found}`] && !packages[`${path}/node_modules/${found}`])
      faults.push(`${found} is missing from the lockfile`);
  }
}
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log(`lockfile: ${Object.keys(packages).length} packages, no registry addresses, every platform present`);
