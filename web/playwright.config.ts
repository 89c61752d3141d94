/** Browser tests: against the Sternpost at STERNPOST_URL, or against the fixtures when it is not set. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { defineConfig } from "@playwright/test";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const folders = (process.env["PATH"] ?? "").split(delimiter);
const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
const executablePath = process.env["STERNPOST_CHROMIUM"] ?? found;
const real = process.env["STERNPOST_URL"];
const mock = "http://127.0.0.1:4937";

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  fullyParallel: false,
  workers: 1,
  timeout: 120_000, // a slow machine is no error; what a test waits for is below
  expect: { timeout: 20_000 },
  reporter: "line",
  use: {
    baseURL: real ?? mock,
    viewport: { width: 1280, height: 800 },
    permissions: ["clipboard-read", "clipboard-write"],
    launchOptions: {
      ...(executablePath ? { executablePath } : {}),
      args: [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "sign-in", testMatch: "sign_in.setup.ts" },
    { name: "pages", testMatch: "*.spec.ts", dependencies: ["sign-in"], use: { storageState: "test-results/session.json" } },
  ],
  ...(real ? {} : { webServer: { command: "npx vite preview --mode mock --host 127.0.0.1 --port 4937 --strictPort", url: mock, reuseExistingServer: false } }),
});
