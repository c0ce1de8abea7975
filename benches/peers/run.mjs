// Parlor and the Node peer in interleaved rounds with one client: the server on one core, the client on another.
// node run.mjs PARLOR CLIENT [ROUNDS]; `npm install` in node/ and `cargo build --release` in client/ first.
// Sizes by environment: SECONDS of each measurement, PEOPLE who enter, HALL listeners of one room, IDLE connections,
// LIMIT in seconds, after which the rest is left out. A table of medians and ratios comes last.
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
const size = (name, usual) => Number(process.env[name] ?? usual);
const [SECONDS, PEOPLE, HALL, IDLE] = [size('SECONDS', 3), size('PEOPLE', 1000), size('HALL', 400), size('IDLE', 1000)];
const LIMIT = size('LIMIT', 110 * Number(rounds));
const ROOMS = 50;
const FEW = 100;

const began = Date.now();
const left = () => LIMIT * 1000 - (Date.now() - began);
const folder = mkdtempSync(join(tmpdir(), 'peers-'));
const tokens = join(folder, 'tokens');
const token = (n) => jwt.sign({ sub: `u-${n}`, name: `User ${n}`, preferred_username: `user${n}` }, SECRET, { expiresIn: '1h' });
writeFileSync(tokens, Array.from({ length: PEOPLE }, (_, n) => token(n)).join('\n'));
const few = join(folder, 'few');
writeFileSync(few, Array.from({ length: FEW }, (_, n) => token(n)).join('\n'));

const peer = (more) => (data, port) => ({
  command: ['node', new URL('node/server.mjs', import.meta.url).pathname],
  env: { PORT: String(port), DATA: data, SECRET, APP_KEY, ...more },
});
const servers = {
  parlor: (data, port) => ({
    command: [parlor, 'serve', '--listen', `127.0.0.1:${port}`, '--data', data],
    env: {
      PARLOR_JWT_SECRET: SECRET, PARLOR_APP_KEY: APP_KEY, PARLOR_SEND_RATE: '0', HTTP_FORWARDED_COUNT: '1',
      RUST_LOG: 'warn', ADMIN_USERNAME: 'administrator', ADMIN_PASS: 'a password that is long', ADMIN_EMAIL: 'a@example.org',
      TEST_MODE: 'bare',
    },
  }),
  node: peer({}),
  'node, batched': peer({ BATCH: '1' }),
};
// Memory comes first: what other measurements leave behind would hide it.
const modes = {
  idle: ['idle', String(IDLE), '5'],
  enter: ['enter', String(PEOPLE), '16'],
  sends: ['sends', '50', '8', String(SECONDS)],
  'deliver 1': ['deliver', String(HALL), '1', String(SECONDS)],
  'deliver 16': ['deliver', String(HALL), '16', String(SECONDS)],
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
const figures = new Map();
// One server, all its measurements.
const measure = async (name, round) => {
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
    const run = (args, people = tokens) =>
      spawnSync('taskset', ['-c', '1', client, `127.0.0.1:${port}`, pid, people, ...args], {
        encoding: 'utf8', timeout: Math.max(left(), 1), killSignal: 'SIGKILL',
      });
    const prepare = (args, people) => {
      const { status, stderr } = run(args, people);
      if (status !== 0 && left() > 0) console.log(`${args[0]} | ${name} | round ${round} | not prepared: ${stderr}`);
    };
    // Rooms have a history, and the people are known before; for memory few of them, with many connections each.
    prepare(['sends', '50', '8', '1'], few);
    prepare(['enter', String(FEW), '16'], few);
    let known = false;
    for (const mode of wanted.filter((mode) => !skip(name, mode))) {
      if (mode !== 'idle' && !known) prepare(['enter', String(PEOPLE), '16']);
      known ||= mode !== 'idle';
      const result = left() > 0 ? run(modes[mode], mode === 'idle' ? few : tokens) : { stderr: 'no time is left' };
      const told = result.status === 0 ? result.stdout.trim() : `failed: ${(result.stderr || 'no time is left').trim().slice(0, 300)}`;
      console.log(`${mode} | ${name} | round ${round} | ${told}`);
      for (const [, figure, value] of told.matchAll(/(\w+)=(-?[\d.]+)/g)) {
        const key = `${mode} ${figure} ${name}`;
        figures.set(key, [...(figures.get(key) ?? []), Number(value)]);
      }
    }
  } finally {
    server.kill('SIGKILL');
    rmSync(data, { recursive: true, force: true });
  }
};

const median = (mode, figure, name) => {
  const all = (figures.get(`${mode} ${figure} ${name}`) ?? []).sort((a, b) => a - b);
  return all.length % 2 ? all[(all.length - 1) / 2] : (all[all.length / 2 - 1] + all[all.length / 2]) / 2;
};
const table = [
  ['durable sends a second', 'sends', 'sends_per_s', 'node', 'at least 5'],
  ['durable sends a second, commits batched', 'sends', 'sends_per_s', 'node, batched', 'at least 1.1'],
  ['deliveries a second, one message at a time', 'deliver 1', 'deliveries_per_s', 'node', 'at least 1.8'],
  ['deliveries a second, bursts of 16', 'deliver 16', 'deliveries_per_s', 'node', 'at least 7'],
  ['CPU per delivery, one at a time (us)', 'deliver 1', 'cpu_us_per_delivery', 'node', 'at most 0.7'],
  ['CPU per delivery, bursts of 16 (us)', 'deliver 16', 'cpu_us_per_delivery', 'node', 'at most 0.7'],
  ['memory per idle joined connection (KiB)', 'idle', 'kb_per_connection', 'node', 'at most 0.6'],
  ['connections a second, entered, joined, with history', 'enter', 'connections_per_s', 'node', 'at least 4'],
];
const shown = (value) => (Number.isFinite(value) ? value.toLocaleString('en', { maximumFractionDigits: 2 }) : '-');

try {
  for (let round = 1; round <= Number(rounds); round += 1) {
    for (const name of Object.keys(servers)) {
      if (left() > 0 && wanted.some((mode) => !skip(name, mode))) await measure(name, round);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log('\n| figure | Parlor | Node | ratio | wanted |\n|---|---|---|---|---|');
for (const [words, mode, figure, name, bound] of table) {
  const [ours, theirs] = [median(mode, figure, 'parlor'), median(mode, figure, name)];
  console.log(`| ${words} | ${shown(ours)} | ${shown(theirs)} | ${shown(ours / theirs)} | ${bound} |`);
}
