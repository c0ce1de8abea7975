// @rocket.chat/ddp-client, the SDK of current Rocket.Chat: methods and streams over DDP, REST beside them.

import { createHash } from 'node:crypto';

import ddpClient from '@rocket.chat/ddp-client';
import { WebSocket } from 'ws';

import { awaited, chatter, claim, drive, plain, see, within } from './driver.mjs';

// The library takes the browser's socket; Node 20 has none.
globalThis.WebSocket ??= WebSocket;

const url = process.argv[2];
const sdk = ddpClient.DDPSDK.create(url, { retryCount: 20, retryTime: 50 });
const id = () => `ddp${Date.now().toString(36)}${Math.random().toString(36).slice(2, 9)}`;

async function rest(endpoint, body) {
	const answer = await sdk.rest.post(`/v1/${endpoint}`, body);
	claim(answer.success, `${endpoint}: ${JSON.stringify(answer)}`);
	return answer;
}

async function query(endpoint, params) {
	const answer = await sdk.rest.get(`/v1/${endpoint}`, params);
	claim(answer.success, `${endpoint}: ${JSON.stringify(answer)}`);
	return answer;
}

async function stream(name, key, callback) {
	const subscription = sdk.stream(name, key, callback);
	await within(`${name} ${JSON.stringify(key)} is ready`, subscription.ready());
	return subscription;
}

async function login({ username, password }) {
	await sdk.connection.connect();
	await sdk.account.loginWithPassword(username, createHash('sha256').update(password).digest('hex'));
	claim(sdk.account.uid, 'the account knows its user id');
	return { id: sdk.account.uid };
}

async function watch({ rid }) {
	await stream('room-messages', rid, (message) => see('message', plain(message)));
	await stream('notify-room', `${rid}/user-activity`, (username, activities) => {
		see('typing', { rid, username, on: activities.includes('user-typing') });
	});
	await stream('notify-room', `${rid}/deleteMessage`, ({ _id }) => see('deleted', { rid, message: _id }));
}

async function watchPresence({ ids }) {
	sdk.client.onCollection('stream-user-presence', ({ fields }) => {
		const [[username, status]] = fields.args;
		see('presence', { user: fields.uid, username, status });
	});
	const subscription = sdk.client.subscribe('stream-user-presence', '', { added: ids });
	await within('presence is ready', subscription.ready());
}

async function upload({ rid, name, kind, content, text }) {
	const form = new FormData();
	form.append('file', new File([Buffer.from(content, 'base64')], name, { type: kind }));
	const media = await rest(`rooms.media/${rid}`, form);
	const { message } = await rest(`rooms.mediaConfirm/${rid}/${media.file._id}`, { msg: text });
	return { message: message._id, url: media.file.url };
}

/** What only this client does. */
async function own({ rid }) {
	claim(sdk.account.user.username, 'the server publishes the session user, from which the account has its name');
	claim(sdk.account.user.tokenExpires > new Date(), 'the token has an end');

	const changed = awaited();
	const uid = sdk.account.uid;
	await stream('notify-user', `${uid}/subscriptions-changed`, (action, subscription) => {
		if (subscription.rid === rid) changed.resolve(action);
	});
	await rest('rooms.favorite', { roomId: rid, favorite: true });
	claim((await within('subscriptions-changed', changed.promise)) === 'updated', 'a favourite is an update');

	const rooms = await sdk.call('rooms/get', { $date: 0 });
	claim(rooms.update.some((room) => room._id === rid), 'rooms/get since the beginning names the room');
	claim((await sdk.call('subscriptions/get')).some((own) => own.rid === rid), 'subscriptions/get names the room');
	const refused = await sdk.call('no-such-method').catch((error) => error);
	claim(refused.error === 404, `an unknown method is refused with 404, not ${JSON.stringify(refused)}`);
	await sdk.stream('room-messages', 'no-such-room', () => {}).ready().then(
		() => claim(false, 'an unknown room has no stream'),
		() => {},
	);
	await reconnects(rid);
	await sdk.account.logout();
	claim(!sdk.account.uid, 'logged out');
	return 'ddp-client';
}

/** Cut off, the client comes back, logs in by token and subscribes under the same ids. */
async function reconnects(rid) {
	const back = awaited();
	const seen = awaited();
	await stream('room-messages', rid, ({ msg }) => msg === 'after the cut' && seen.resolve());
	sdk.account.on('user', back.resolve);
	sdk.connection.ws.terminate();
	await within('signed in again', back.promise);
	await query('me');
	// Subscriptions are sent right behind the login, so an answered call means that they are judged.
	await sdk.call('rooms/get');
	await sdk.call('sendMessage', { _id: id(), rid, msg: 'after the cut' });
	await within('the stream goes on after a reconnect', seen.promise);
}

await drive({
	login,
	watch,
	watchPresence,
	upload,
	own,
	create: async ({ name, members, hidden }) => {
		const answer = await rest(hidden ? 'groups.create' : 'channels.create', { name, members });
		return { rid: (answer.channel ?? answer.group)._id };
	},
	send: async ({ rid, text, thread }) => {
		const message = await sdk.call('sendMessage', { _id: id(), rid, msg: text, ...(thread && { tmid: thread }) });
		return { message: message._id };
	},
	typing: ({ rid, on }) =>
		sdk.call('stream-notify-room', `${rid}/user-activity`, sdk.account.user.username, on ? ['user-typing'] : [], {}),
	status: ({ status, text }) => sdk.call('setUserStatus', status, text),
	edit: ({ rid, message, text }) => rest('chat.update', { roomId: rid, msgId: message, text }),
	react: ({ message, emoji }) => rest('chat.react', { messageId: message, emoji }),
	remove: ({ rid, message }) => rest('chat.delete', { roomId: rid, msgId: message }),
	search: async ({ rid, text }) => {
		const { messages } = await query('chat.search', { roomId: rid, searchText: text });
		return messages.map(plain);
	},
	thread: async ({ message }) => {
		const { messages } = await query('chat.getThreadMessages', { tmid: message });
		return messages.map(plain);
	},
	history: async ({ rid, family }) => {
		const { messages } = await query(`${family}.history`, { roomId: rid, count: 100 });
		return messages.reverse().map(plain);
	},
	read: ({ rid }) => rest('subscriptions.read', { rid }),
	chatter: (command) =>
		chatter(command, async (msg) => (await sdk.call('sendMessage', { _id: id(), rid: command.rid, msg }))._id),
});
