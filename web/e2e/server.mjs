// The real server, with data of its own that is gone afterwards.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ADMIN = { username: "boss", password: "correct horse 1", name: "Ada Boss", email: "ada@example.org" };

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** A running server. `fresh` leaves it without an administrator. */
export class Server {
  constructor({ fresh = false, data, port, env = {} } = {}) {
    this.data = data ?? mkdtempSync(join(tmpdir(), "parlor-e2e-"));
    this.fresh = fresh;
    this.env = env;
    this.port = port;
    this.program = process.env.PARLOR_BIN ?? new URL("../../target/debug/parlor", import.meta.url).pathname;
  }

  static async start(options) {
    const server = new Server(options);
    server.port ??= await freePort();
    server.url = `http://127.0.0.1:${server.port}`;
    await server.run();
    return server;
  }

  async run() {
    const admin = this.fresh
      ? {}
      : {
          ADMIN_USERNAME: ADMIN.username,
          ADMIN_PASS: ADMIN.password,
          ADMIN_NAME: ADMIN.name,
          ADMIN_EMAIL: ADMIN.email,
          // Journeys prepare in seconds what people write in days.
          OVERWRITE_SETTING_API_Enable_Rate_Limiter: "false",
          OVERWRITE_SETTING_Message_Read_Receipt_Enabled: "true",
        };
    const { PATH, PARLOR_RUN = "", PARLOR_WEB_DIR } = process.env;
    this.said = "";
    this.process = spawn(this.program, ["serve", "--listen", `127.0.0.1:${this.port}`, "--data", this.data], {
      env: { PATH, PARLOR_RUN, ...(PARLOR_WEB_DIR ? { PARLOR_WEB_DIR } : {}), ...admin, ...this.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on("data", (text) => (this.said = (this.said + text).slice(-20_000)));
    }
    for (const began = Date.now(); Date.now() - began < 30_000;) {
      const answer = await fetch(`${this.url}/health`).catch(() => null);
      if (answer?.ok) return;
      if (this.process.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    throw new Error(`the server did not start:\n${this.said}`);
  }

  /** Ends it; with the same data and port it can run again. */
  async halt(signal = "SIGTERM") {
    if (this.process.exitCode === null) this.process.kill(signal);
    await this.ended;
  }

  async stop() {
    await this.halt();
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** REST as somebody: for what a journey needs before it begins. */
export class Api {
  constructor(url, session) {
    this.url = url;
    this.session = session;
  }

  static async login(url, user, password) {
    const { data } = await new Api(url).post("login", { user, password });
    const api = new Api(url, { userId: data.userId, token: data.authToken });
    api.me = data.me;
    return api;
  }

  async call(method, name, body, more = {}) {
    const headers = { "Content-Type": "application/json", ...more };
    if (this.session) {
      headers["X-User-Id"] = this.session.userId;
      headers["X-Auth-Token"] = this.session.token;
    }
    const form = body instanceof FormData;
    if (form) delete headers["Content-Type"];
    const request = { method, headers, body: form ? body : body && JSON.stringify(body) };
    const response = await fetch(`${this.url}/api/v1/${name}`, request);
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${name}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  get(name) {
    return this.call("GET", name);
  }

  post(name, body = {}) {
    return this.call("POST", name, body);
  }

  /** Sends a message and gives it as it was stored. */
  async say(rid, msg, more = {}) {
    const body = { message: { rid, msg, ...more } };
    for (;;) {
      try {
        return (await this.post("chat.sendMessage", body)).message;
      } catch (error) {
        // Faster than people are allowed to be.
        if (!/: 429 /.test(error.message)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    }
  }
}
