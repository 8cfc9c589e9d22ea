import { fileURLToPath } from "node:url";

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a running monitor. */
const MONITOR = process.env["FLOW_MONITOR_UI"] ?? "http://127.0.0.1:8378";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2022",
    // The tokens use light-dark() as it is.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // The content security policy forbids `data:` for fonts and scripts, so that nothing may be inlined.
    assetsInlineLimit: 0,
    // The polyfill would be an inline script.
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  server: {
    host: "127.0.0.1",
    // The monitor takes writes from its own page only.
    proxy: { "/api": { target: MONITOR, ws: true, changeOrigin: true, headers: { origin: MONITOR } } },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
  },
});
