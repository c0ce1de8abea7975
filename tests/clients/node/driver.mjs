// What all client drivers share: a conversation with the conductor over standard input and output.
//
// The conductor writes one JSON command a line, `{"id": n, "do": "send", ...}`, and gets `{"re": n, "at": ..., "ok": ...}` or
// `{"re": n, "error": "..."}`. Whatever the client sees live is written as `{"event": ..., ...}`. Times are
// nanoseconds of the machine's monotonic clock, which all drivers share.

import { createInterface } from 'node:readline';

// Client libraries print to the console; the conversation must stay clean.
for (const name of ['log', 'info', 'debug', 'warn']) console[name] = console.error;

function write(line) {
	process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** The moment, in nanoseconds, as text: it outgrows a double. */
export function now() {
	return process.hrtime.bigint().toString();
}

/** Tells the conductor what the client sees. */
export function see(event, fields) {
	write({ event, at: now(), ...fields });
}

/** A message as the conductor wants it, from the object a stream or an endpoint delivers. */
export function plain(message) {
	const reactions = {};
	for (const [emoji, { usernames }] of Object.entries(message.reactions ?? {})) reactions[emoji] = usernames;
	return {
		rid: message.rid,
		message: message._id,
		text: message.msg,
		author: message.u?.username,
		thread: message.tmid ?? null,
		replies: message.tcount ?? 0,
		edited: Boolean(message.editedAt),
		file: message.file?.name ?? null,
		kind: message.t ?? null,
		reactions,
	};
}

/** Throws unless a claim of a client's own journey holds. */
export function claim(holds, what) {
	if (!holds) throw new Error(`claim failed: ${what}`);
}

/** Waits for a promise for a bounded time; says what was awaited. */
export async function within(what, promise, ms = 20_000) {
	let timer;
	const timeout = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`waited in vain: ${what}`)), ms);
	});
	try {
		return await Promise.race([promise, timeout]);
	} finally {
		clearTimeout(timer);
	}
}

/** A promise and its handle, for awaiting what a callback gets. */
export function awaited() {
	const handle = {};
	handle.promise = new Promise((resolve, reject) => Object.assign(handle, { resolve, reject }));
	return handle;
}

/** Sends `count` messages without waiting in between and reports when each was sent and acknowledged. */
export async function chatter({ count, prefix }, send) {
	const one = async (body) => {
		const sent = now();
		const stored = await send(body);
		return { body, sent, acked: now(), stored: stored ?? null };
	};
	const all = [];
	for (let n = 0; n < count; n += 1) all.push(one(`${prefix} ${n}`));
	return Promise.all(all);
}

async function reason(error) {
	if (error instanceof Response) return `${error.status} ${await error.text()}`;
	if (error instanceof Error) return error.stack ?? error.message;
	return typeof error === 'string' ? error : JSON.stringify(error);
}

/** Answers the conductor's commands, one after another, until it hangs up or says `quit`. */
export async function drive(actions) {
	const fail = async (error) => see('failure', { reason: await reason(error) });
	process.on('uncaughtException', fail);
	// Old libraries reject promises that nobody holds, with nothing; the call itself has its error elsewhere.
	process.on('unhandledRejection', (error) => error !== undefined && fail(error));
	write({ event: 'hello', can: Object.keys(actions) });
	for await (const line of createInterface({ input: process.stdin })) {
		const command = JSON.parse(line);
		if (command.do === 'quit') break;
		try {
			const action = actions[command.do];
			if (!action) throw new Error(`this client can't ${command.do}`);
			const ok = await within(command.do, action(command), 60_000);
			write({ re: command.id, at: now(), ok: ok ?? null });
		} catch (error) {
			write({ re: command.id, error: await reason(error) });
		}
	}
	process.exit(0);
}
