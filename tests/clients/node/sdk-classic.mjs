// @rocket.chat/sdk 0.2.9, under hubot and the bots of old: everything over one stream of all its messages.
//
// Its socket library, asteroid, is taken in the published version that Rocket.Chat's own copy comes from.

import { awaited, chatter, claim, drive, plain, see, within } from './driver.mjs';

const url = process.argv[2];
// Read when the library is loaded.
process.env.ROCKETCHAT_URL = url;
const { api, driver } = (await import('rocketchat-sdk-classic')).default;

const quiet = () => {};
driver.useLog({ debug: quiet, info: quiet, warn: quiet, warning: quiet, error: console.error });
let credentials;

async function login({ username, password }) {
	credentials = { username, password };
	await driver.connect({ host: url, useSsl: false });
	// Sends the password itself, as all of its time did.
	const id = await driver.login(credentials);
	await api.login(credentials);
	return { id };
}

let watched = null;

async function watch({ rid }) {
	if (!watched) {
		watched = new Set();
		// One subscription to everything one may see; silent unless the server first publishes a document for it.
		await driver.subscribeToMessages();
		driver.reactToMessages((error, message, meta) => {
			if (error) throw error;
			claim(typeof meta?.roomParticipant === 'boolean' && meta.roomType, `the room of ${JSON.stringify(message)}: ${JSON.stringify(meta)}`);
			if (watched.has(message.rid)) see('message', plain(message));
		});
	}
	watched.add(rid);
}

async function rest(endpoint, body) {
	const answer = await api.post(endpoint, body);
	claim(answer?.success, `${endpoint} is refused`);
	return answer;
}

/** What only this client does. */
async function own({ rid, name, peer }) {
	claim((await driver.getRoomId(name)) === rid, 'getRoomIdByNameOrId by name');
	claim((await driver.getRoomId(rid)) === rid, 'getRoomIdByNameOrId by id');
	claim((await driver.getRoomName(rid)) === name, 'getRoomNameById');
	await driver.joinRoom(name);

	const answer = await driver.sendToRoom('to a room by name', name);
	claim(answer.msg === 'to a room by name', 'the answer is the saved message');
	await driver.editMessage({ ...answer, msg: 'edited by the bot' });
	await driver.setReaction(':robot:', answer._id);
	const direct = await driver.sendDirectToUser('to a person by name', peer);
	claim(direct.rid && direct.rid !== rid, 'createDirectMessage');
	const several = await driver.sendToRoomId(['one', 'two', 'three'], rid);
	claim(several.map(({ msg }) => msg).join() === 'one,two,three', 'several at once');

	const heard = awaited();
	await watch({ rid });
	await driver.respondToMessages((error, message) => (error ? heard.reject(error) : heard.resolve(message)), { rooms: [name] });
	see('ready', {});
	const message = await within('a message to respond to', heard.promise);
	claim(message.u.username === peer, 'its own messages are left out');

	const names = await api.users.allNames();
	claim(names.includes(credentials.username), 'users.list with the fields of old clients');
	claim((await api.users.onlineIds()).length > 0, 'users.list with the query of old clients');
	await api.logout();
	await driver.disconnect();
	return 'sdk classic';
}

await drive({
	login,
	watch,
	own,
	create: async ({ name, members, hidden }) => {
		const answer = await rest(hidden ? 'groups.create' : 'channels.create', { name, members });
		return { rid: (answer.channel ?? answer.group)._id };
	},
	send: async ({ rid, text, thread }) => {
		const content = thread ? { msg: text, tmid: thread } : text;
		return { message: (await driver.sendToRoomId(content, rid))._id };
	},
	edit: ({ rid, message, text }) => driver.editMessage({ _id: message, rid, msg: text }),
	react: ({ message, emoji }) => driver.setReaction(emoji, message),
	remove: ({ message }) => driver.asyncCall('deleteMessage', { _id: message }),
	history: async ({ rid }) => {
		const { messages } = await driver.asyncCall('loadHistory', [rid, null, 100, null]);
		return messages.reverse().map(plain);
	},
	chatter: (command) => chatter(command, async (text) => (await driver.sendToRoomId(text, command.rid))._id),
});
