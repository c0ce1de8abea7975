// Both sides of a ticket and of a room with the official client; exits 0 when all that was heard is right.
// node socketio-journey.mjs URL[,URL] TRANSPORTS ROOM ALICE BOB XENA
// With two addresses Bob is at the second.
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';

const [addresses, transports, room, ...tokens] = process.argv.slice(2);
const [url, second = url] = addresses.split(',');
const within = (what, promise) =>
  Promise.race([promise, new Promise((_, fail) => setTimeout(() => fail(new Error(`in vain: ${what}`)), 15000).unref())]);

class Person {
  constructor(token, url) {
    this.heard = [];
    this.waiting = [];
    this.socket = io(url, { auth: { token }, transports: transports.split(','), forceNew: true, reconnectionDelay: 50 });
    this.socket.onAny((name, payload) => {
      this.heard.push({ name, payload });
      this.waiting.splice(0).forEach((wake) => wake());
    });
  }

  async event(name, right = () => true) {
    for (;;) {
      const at = this.heard.findIndex((one) => one.name === name && right(one.payload));
      if (at >= 0) return this.heard.splice(at, 1)[0].payload;
      await within(`${name}, of ${JSON.stringify(this.heard.map((one) => one.name))}`, new Promise((wake) => this.waiting.push(wake)));
    }
  }

  ask(name, payload) {
    return within(`the ack of ${name}`, this.socket.timeout(10000).emitWithAck(name, payload));
  }
}

const [alice, bob, xena] = tokens.map((token, n) => new Person(token, n === 1 ? second : url));
for (const person of [alice, bob, xena]) assert.equal((await person.event('connected')).message, 'Connected');
if (transports === 'polling,websocket') {
  const engine = alice.socket.io.engine;
  if (engine.transport.name !== 'websocket') await within('the upgrade', new Promise((done) => engine.once('upgrade', done)));
  assert.equal(engine.transport.name, 'websocket');
}

const wrong = io(url, { auth: { token: 'nonsense' }, transports: transports.split(','), forceNew: true, reconnection: false });
const refused = await within('a refusal', new Promise((done) => wrong.once('connect_error', done)));
assert.deepEqual(refused.data, { code: 'invalid_token', type: 'invalid_token' });
wrong.close();

assert.deepEqual(await alice.ask('join_ticket', { ticketId: 'T-1' }), { success: true, ticketId: 'T-1' });
assert.deepEqual((await alice.event('messages_history')).messages, []);
await bob.ask('join_ticket', { ticketId: 'T-1' });
assert.equal((await alice.event('user_joined')).userId, 'u-bob');
await bob.ask('typing_start', { ticketId: 'T-1' });
assert.equal((await alice.event('user_typing')).userName, 'Bob Doe');
const sent = await bob.ask('send_message', { ticketId: 'T-1', message: 'Hello! \u{1f600} \u001e "quoted"', clientId: 'c-1' });
assert.equal(sent.success, true);
await alice.event('user_stopped_typing');
assert.equal((await alice.event('new_message')).message.id, sent.message.id);
assert.equal((await bob.event('new_message')).message.message, sent.message.message);
await bob.ask('typing_start', { ticketId: 'T-1' });
await alice.event('user_typing');
assert.deepEqual(await bob.ask('leave_ticket', { ticketId: 'T-1' }), { success: true, ticketId: 'T-1' });
await alice.event('user_left', (one) => one.ticketId === 'T-1');
assert.ok(alice.heard.some((one) => one.name === 'user_stopped_typing'), 'the stop comes before the leaving');
await alice.event('user_stopped_typing');
await bob.ask('join_ticket', { ticketId: 'T-1' });
assert.equal((await xena.ask('join_ticket', { ticketId: 'T-1' })).error, 'not_found');
assert.equal((await xena.event('error')).code, 'not_found');

await alice.ask('join_room', { room_id: room });
await bob.ask('join_room', { room_id: room });
const bytes = await alice.ask('send_message', { room_id: room, content: 'bytes beside', blob: Buffer.from([1, 2, 3]) });
assert.equal(bytes.success, true);
const burst = await Promise.all(
  Array.from({ length: 40 }, (_, n) => alice.ask('send_message', { room_id: room, content: `line ${n}` })),
);
assert.ok(burst.every((ack) => ack.success), JSON.stringify(burst.find((ack) => !ack.success)));
await bob.event('new_message', (heard) => heard.message.content === 'bytes beside');
for (let n = 0; n < 40; n += 1) {
  const heard = await bob.event('new_message', (one) => one.message.room_id === room);
  assert.equal(heard.message.content, `line ${n}`);
}

// A cut: the client comes back by itself, joins after the last message and misses nothing.
const last = burst.at(-1).message.id;
const back = new Promise((done) => bob.socket.once('connect', done));
bob.socket.io.engine.close();
await alice.ask('send_message', { room_id: room, content: 'while Bob was away' });
await within('to come back', back);
await bob.ask('join_room', { room_id: room, after: last });
const joined = await bob.event('room_joined', (one) => one.messages !== undefined);
assert.deepEqual(joined.messages.map((message) => message.content), ['while Bob was away']);
await bob.ask('join_ticket', { ticketId: 'T-1' });
await alice.event('user_left', (one) => one.ticketId === 'T-1');
bob.socket.disconnect();
assert.equal((await alice.event('user_left', (one) => one.room_id === room)).user_id, 'u-bob');
console.log('journey done');
process.exit(0);
