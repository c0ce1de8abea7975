"""rocketchat-async: a bot's view over DDP, with one stream of messages and one of rooms."""

import asyncio
import json
import sys

from rocketchat_async import RocketChat

from driver import answered, claim, hello, now, plain, refused, see, write

PATIENCE = 60


class Client:
    def __init__(self, url):
        self.address = url.replace("http", "ws", 1) + "/websocket"
        self.chat = RocketChat()
        self.heard = asyncio.Queue()

    async def login(self, username, password, **_):
        await self.chat.start(self.address, username, password)
        self.credentials = (username, password)
        return {"id": self.chat.user_id}

    async def watch(self, rid, **_):
        await self.chat.subscribe_to_channel_messages_raw(rid, lambda message: see("message", **plain(message)))
        # The library does not wait for its subscriptions. Calls are answered in order behind them.
        await self.chat.get_channels()

    async def send(self, rid, text, thread=None, **_):
        # Neither takes an id nor tells one: the conductor knows the message by its text.
        await self.chat.send_message(text, rid, thread)

    async def typing(self, rid, **_):
        await self.chat.send_typing_event(rid)

    async def react(self, message, emoji, **_):
        await self.chat.send_reaction(message, emoji)

    async def chatter(self, rid, count, prefix, **_):
        async def one(body):
            sent = now()
            await self.chat.send_message(body, rid)
            return {"body": body, "sent": sent, "acked": now(), "stored": None}

        return await asyncio.gather(*(one(f"{prefix} {n}") for n in range(count)))

    async def own(self, rid, **_):
        """What only this client does."""
        claim((rid, "c") in await self.chat.get_channels(), "rooms/get lists ids and kinds")
        rooms = await self.chat.get_channels_raw()
        claim(all("_id" in room and "t" in room for room in rooms), "every room has an id and a kind")

        changed = asyncio.Queue()
        await self.chat.subscribe_to_channel_changes(lambda *change: changed.put_nowait(change))
        messages = asyncio.Queue()
        taken = lambda *args: messages.put_nowait(args)
        subscription = await self.chat.subscribe_to_channel_messages(rid, taken)
        await self.chat.get_channels()
        await self.chat.send_message("one of my own", rid)
        channel, sender, message, thread, text, kind, _unread, repeated = await messages.get()
        claim((channel, sender, text) == (rid, self.chat.user_id, "one of my own"), "its own message comes back")
        claim(thread is None and kind is None and not repeated, "a plain message, seen for the first time")
        claim(await changed.get() == (rid, "c"), "the room changed, for it has a new last message")

        # Not awaited by the library, so only its effect can be awaited.
        await self.chat.send_reaction(message, ":thumbsup:")
        *_, repeated = await messages.get()
        claim(repeated, "a message with a reaction counts as seen before")
        await self.chat.unsubscribe(subscription)
        await self.refusals(rid)
        return "rocketchat-async"

    async def refusals(self, rid):
        username, password = self.credentials
        try:
            await RocketChat().start(self.address, username, password + "?")
        except RuntimeError as error:
            claim(str(error), "a refused login has a reason")
        else:
            claim(False, "a wrong password is let in")
        # An unknown room: the answer is an error, over which the library must not stumble.
        await self.chat.send_message("to nobody", "no-such-room")
        claim((rid, "c") in await self.chat.get_channels(), "the socket lives on after a refusal")


async def main():
    client = Client(sys.argv[1])
    names = ("login", "watch", "send", "typing", "react", "chatter", "own")
    actions = {name: getattr(client, name) for name in names}
    hello(actions)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        if command["do"] == "quit":
            break
        number = command.pop("id")
        try:
            answer = await asyncio.wait_for(actions[command.pop("do")](**command), PATIENCE)
            answered(number, answer)
        except Exception as error:  # Whatever it is, the conductor is told.
            write({"re": number, "error": refused(error)})


asyncio.run(main())
