import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { catalogs } from "./scripts/catalogs.mjs";
import { chunks, withoutDetours, withoutRuntime } from "./scripts/chunks.mjs";
import { className } from "./scripts/classes.mjs";
import { emoji } from "./scripts/emoji.mjs";
import { kitWords } from "./scripts/locales.mjs";

const server = process.env.PARLOR_URL ?? "http://127.0.0.1:3000";
const passed = ["api", "avatar", "file-upload", "emoji-custom", "custom-sounds", "images", "_timesync"];

export default defineConfig(({ command }) => ({
  plugins: [react(), catalogs(), emoji(), kitWords(), withoutDetours(), withoutRuntime()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  // While one works on it, names that say something.
  ...(command === "build" ? { css: { modules: { generateScopedName: className } } } : {}),
  build: {
    assetsDir: "web",
    emptyOutDir: false,
    manifest: "manifest.json",
    target: "es2022",
    // One sheet: all of it is smaller than one more request is slow.
    cssCodeSplit: false,
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: chunks() } },
  },
  server: {
    proxy: {
      ...Object.fromEntries(passed.map((path) => [`/${path}`, server])),
      "/websocket": { target: server, ws: true },
    },
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"], testTimeout: 30_000 },
}));
