import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { mockServer } from "./dev/mock.ts";

const output = fileURLToPath(new URL("../src/sternpost/_ui", import.meta.url));
const compressible = new Set([".html", ".js", ".css", ".svg"]);

/** Writes .br and .gz beside each built file, so that the server never compresses. */
function precompress(): Plugin {
  return {
    name: "sternpost-precompress",
    apply: "build",
    closeBundle() {
      for (const entry of readdirSync(output, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !compressible.has(extname(entry.name))) continue;
        const path = join(entry.parentPath, entry.name);
        const body = readFileSync(path);
        const size = { [constants.BROTLI_PARAM_SIZE_HINT]: body.length };
        writeFileSync(`${path}.br`, brotliCompressSync(body, { params: size }));
        writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }));
      }
    },
  };
}

export default defineConfig(({ mode }) => ({
  plugins: [react(), precompress(), ...(mode === "mock" ? [mockServer()] : [])],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  build: {
    outDir: output,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  experimental: {
    // The page is served at every depth, so it names its files from the root (a server below a
    // sub-path rewrites "/assets/ there); scripts and styles name theirs relative to themselves.
    renderBuiltUrl: (_name, { hostType }) => (hostType === "html" ? undefined : { relative: true }),
  },
  server: mode === "mock" ? {} : { proxy: { "/api": "http://127.0.0.1:4100", "/v1": "http://127.0.0.1:4100" } },
  test: { include: ["src/**/*.test.ts"] },
}));
