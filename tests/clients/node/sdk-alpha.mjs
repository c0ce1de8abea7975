// @rocket.chat/sdk 1.0.0-alpha.42, under EmbeddedChat and many bots: REST first, then the socket by its token.

import alpha from 'rocketchat-sdk-alpha';

import { awaited, chatter, claim, drive, now, plain, see, within } from './driver.mjs';

const url = process.argv[2];
const quiet = () => {};
const logger = { debug: quiet, info: quiet, warn: quiet, warning: quiet, error: console.error };
const client = new alpha.Rocketchat({ host: url, useSsl: false, logger, integrationId: 'parlor', allPublic: false, rooms: [] });
let me;

async function login({ username, password }) {
	await client.connect({});
	await client.login({ username, password });
	me = client.currentLogin;
	claim(me.username === username, 'the login says who one is');
	return { id: client.userId };
}

let listening = false;

async function watch({ rid }) {
	if (!listening) {
		listening = true;
		await client.onMessage((message) => see('message', plain(message)));
		await client.onStreamData('stream-notify-room', ({ fields: { eventName, args } }) => {
			const [room, event] = eventName.split('/');
			if (event === 'user-activity') see('typing', { rid: room, username: args[0], on: args[1].includes('user-typing') });
			if (event === 'deleteMessage') see('deleted', { rid: room, message: args[0]._id });
		});
	}
	// Subscribes messages, the typing of old clients, and deletions; never answers a refusal, so all must be ready.
	await within('a room is subscribed', client.subscribeRoom(rid));
	await within('activity is subscribed', client.subscribe('stream-notify-room', `${rid}/user-activity`));
}

async function watchPresence({ ids }) {
	await client.onStreamData('stream-user-presence', ({ fields: { uid, args: [[username, status]] } }) => {
		see('presence', { user: uid, username, status });
	});
	const socket = await client.socket;
	await within('presence is subscribed', socket.ddp.subscribe('stream-user-presence', ['', { added: ids }]));
}

async function upload({ rid, name, kind, content, text }) {
	const form = new FormData();
	form.append('file', new Blob([Buffer.from(content, 'base64')], { type: kind }), name);
	// Its usual headers claim JSON; a form brings its own.
	const customHeaders = { 'X-Auth-Token': me.authToken, 'X-User-Id': me.userId };
	const media = await client.post(`rooms.media/${rid}`, form, true, undefined, { customHeaders });
	const { message } = await client.post(`rooms.mediaConfirm/${rid}/${media.file._id}`, { msg: text });
	return { message: message._id, url: media.file.url };
}

/** What only this client does. */
async function own({ rid }) {
	await within('its fixed sets of streams', Promise.all([
		client.subscribeNotifyAll(),
		client.subscribeLoggedNotify(),
		client.subscribeNotifyUser(),
	]));
	const info = await client.rooms.info({ rid }).catch((error) => error);
	claim(info.data?.success === false || info.room, 'rooms.info is answered, by a refusal if need be');
	const user = await client.users.info(me.username);
	claim(user.username === me.username, 'users.info');
	claim((await client.users.allNames()).includes(me.username), 'users.list with the fields of old clients');
	claim((await client.users.onlineNames()).includes(me.username), 'users.list with the query of old clients');
	claim((await client.channelInfo({ roomId: rid }))._id === rid, 'channels.info');
	const sent = await client.sendMessage('to be edited', rid);
	await client.editMessage({ ...sent, msg: 'edited' });
	await client.setReaction(':thumbsup:', sent._id);
	const since = await client.loadHistory(rid, new Date(0));
	claim(since.updated.some(({ _id, msg }) => _id === sent._id && msg === 'edited'), 'chat.syncMessages');
	const direct = await client.createDirectMessage('rocket.cat');
	claim(direct.rid ?? direct._id, 'im.create');

	const seen = awaited();
	await client.onStreamData('stream-room-messages', ({ fields }) => fields.args[0].msg === 'by method' && seen.resolve());
	await client.subscribe('stream-room-messages', rid);
	await client.methodCall('sendMessage', { _id: `alpha${now()}`, rid, msg: 'by method' });
	await within('a message sent by method', seen.promise);
	// It ends its subscriptions without waiting: it does not know the answer. The goodbye must be in order all the same.
	await within('an orderly goodbye', client.disconnect());
	return 'sdk alpha';
}

await drive({
	login,
	watch,
	watchPresence,
	upload,
	own,
	create: async ({ name, members, hidden }) => {
		const answer = await client.post(hidden ? 'groups.create' : 'channels.create', { name, members });
		return { rid: (answer.channel ?? answer.group)._id };
	},
	send: async ({ rid, text, thread }) => {
		const content = thread ? { msg: text, tmid: thread } : text;
		return { message: (await client.sendMessage(content, rid))._id };
	},
	typing: ({ rid, on }) =>
		client.methodCall('stream-notify-room', `${rid}/user-activity`, me.username, on ? ['user-typing'] : [], {}),
	status: ({ status, text }) => client.post('users.setStatus', { status, message: text }),
	edit: ({ rid, message, text }) => client.editMessage({ rid, _id: message, msg: text }),
	react: ({ message, emoji }) => client.setReaction(emoji, message),
	remove: ({ rid, message }) => client.post('chat.delete', { roomId: rid, msgId: message }),
	search: async ({ rid, text }) => (await client.get('chat.search', { roomId: rid, searchText: text })).messages.map(plain),
	thread: async ({ message }) => (await client.get('chat.getThreadMessages', { tmid: message })).messages.map(plain),
	history: async ({ rid, family }) =>
		(await client.get(`${family}.history`, { roomId: rid, count: 100 })).messages.reverse().map(plain),
	read: ({ rid }) => client.post('subscriptions.read', { rid }),
	chatter: (command) => chatter(command, async (text) => (await client.sendMessage(text, command.rid))._id),
});
