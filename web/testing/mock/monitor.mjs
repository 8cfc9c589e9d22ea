#!/usr/bin/env node
// Starts the stand-in with the arguments of `flow-monitor demo`.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { startServer } from "./server.mjs";
import { World } from "./world.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "data-dir": { type: "string" },
    "proxy-listen": { type: "string", default: "127.0.0.1:8377" },
    "ui-listen": { type: "string", default: "127.0.0.1:8378" },
    stored: { type: "string" },
  },
});

const demo = positionals[0] === "demo";
const [host, port] = values["ui-listen"].split(":");
const proxyPort = values["proxy-listen"].split(":")[1] === "0" ? "8377" : values["proxy-listen"].split(":")[1];
const code = "mock-code";
const token = "mock-token-0123456789-0123456789-0123";
if (values["data-dir"] !== undefined) writeFileSync(join(values["data-dir"], "token"), token);
const world = new World(Number(values.stored ?? (demo ? 400 : 0)));
const server = await startServer({ world, code, token, proxyUrl: `http://127.0.0.1:${proxyPort}`, host, port: Number(port) });
const ui = `${host}:${server.port}`;
process.stdout.write(`${JSON.stringify({ proxy: `127.0.0.1:${proxyPort}`, ui, proxy_url: `http://127.0.0.1:${proxyPort}`, ui_url: `http://${ui}`, link: `http://${ui}/#code=${code}` })}\n`);
if (demo) world.play();

function stop() {
  world.stop();
  server.close();
  process.exit(0);
}
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
