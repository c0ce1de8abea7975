// Parlor and the Node peer in interleaved rounds with one client: the server on one core, the client on another.
// node run.mjs PARLOR CLIENT [ROUNDS]; `npm install` in node/ and `cargo build --release` in client/ first.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(new URL('node/server.mjs', import.meta.url));
const jwt = require('jsonwebtoken');
const [parlor, client, rounds = '2'] = process.argv.slice(2);
const SECRET = 'a secret of at least thirty-two bytes';
const APP_KEY = 'a key of the host application of 32 bytes and more';
const PEOPLE = 2500;
const ROOMS = 50;
const HALL = 1000;

const folder = mkdtempSync(join(tmpdir(), 'peers-'));
const tokens = join(folder, 'tokens');
const token = (n) => jwt.sign({ sub: `u-${n}`, name: `User ${n}`, preferred_username: `user${n}` }, SECRET, { expiresIn: '1h' });
writeFileSync(tokens, Array.from({ length: PEOPLE }, (_, n) => token(n)).join('\n'));

const servers = {
  parlor: (data, port) => ({
    command: [parlor, 'serve', '--listen', `127.0.0.1:${port}`, '--data', data],
    env: {
      PARLOR_JWT_SECRET: SECRET, PARLOR_APP_KEY: APP_KEY, PARLOR_SEND_RATE: '0', HTTP_FORWARDED_COUNT: '1',
      RUST_LOG: 'warn', ADMIN_USERNAME: 'administrator', ADMIN_PASS: 'a password that is long', ADMIN_EMAIL: 'a@example.org',
      TEST_MODE: 'true',
    },
  }),
  node: (data, port) => ({
    command: ['node', new URL('node/server.mjs', import.meta.url).pathname],
    env: { PORT: String(port), DATA: data, SECRET, APP_KEY },
  }),
  'node, batched': (data, port) => ({
    command: ['node', new URL('node/server.mjs', import.meta.url).pathname],
    env: { PORT: String(port), DATA: data, SECRET, APP_KEY, BATCH: '1' },
  }),
};
const modes = {
  sends: ['sends', '50', '8', '4'],
  'deliver 1': ['deliver', '1000', '1', '4'],
  'deliver 16': ['deliver', '1000', '16', '4'],
  enter: ['enter', String(PEOPLE), '16'],
  idle: ['idle', '2000'],
};
const wanted = (process.env.MODES ?? Object.keys(modes).join(',')).split(',');
const skip = (name, mode) => name === 'node, batched' && mode !== 'sends';

const put = async (url, id, belongs) => {
  const assignees = Array.from({ length: PEOPLE }, (_, n) => n).filter(belongs).map((n) => `u-${n}`);
  const body = JSON.stringify({ created_by: assignees[0], assignees });
  const answer = await fetch(`${url}/api/tickets/${id}`, {
    method: 'PUT', headers: { 'content-type': 'application/json', 'x-app-key': APP_KEY }, body,
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
};

let port = 24100;
const measure = async (name, mode) => {
  const data = mkdtempSync(join(folder, 'data-'));
  const { command, env } = servers[name](data, (port += 1));
  const url = `http://127.0.0.1:${port}`;
  const server = spawn('taskset', ['-c', '0', ...command], { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    for (let tries = 0; ; tries += 1) {
      if (await fetch(`${url}/health`).then((answer) => answer.ok, () => false)) break;
      if (tries > 200) throw new Error('it does not start');
      await new Promise((then) => setTimeout(then, 50));
    }
    // taskset becomes what it starts, so the process is the server's.
    const pid = String(server.pid);
    for (let room = 0; room < ROOMS; room += 1) await put(url, `T-${room}`, (n) => n % ROOMS === room);
    await put(url, 'T-hall', (n) => n < HALL);
    const run = (args) => spawnSync('taskset', ['-c', '1', client, `127.0.0.1:${port}`, pid, tokens, ...args], { encoding: 'utf8' });
    // The people are known before, and rooms have a history.
    run(['sends', '50', '8', '1']);
    run(['enter', String(PEOPLE), '16']);
    const result = run(modes[mode]);
    return result.status === 0 ? result.stdout.trim() : `failed: ${result.stderr.trim().slice(0, 300)}`;
  } finally {
    server.kill('SIGKILL');
    rmSync(data, { recursive: true, force: true });
  }
};

for (const mode of wanted) {
  for (let round = 1; round <= Number(rounds); round += 1) {
    for (const name of Object.keys(servers)) {
      if (!skip(name, mode)) console.log(`${mode} | ${name} | round ${round} | ${await measure(name, mode)}`);
    }
  }
}
rmSync(folder, { recursive: true, force: true });
