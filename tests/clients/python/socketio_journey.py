"""Both sides of a ticket and of a room with python-socketio; exits 0 when all that was heard is right.

python socketio_journey.py URL TRANSPORTS ROOM ALICE BOB XENA
"""

import asyncio
import sys

import socketio

URL, TRANSPORTS, ROOM, *TOKENS = sys.argv[1:]


class Person:
    def __init__(self):
        self.heard = []
        self.news = asyncio.Condition()
        self.socket = socketio.AsyncClient(reconnection=False)
        self.socket.on("*", self.hear)

    async def hear(self, name, payload):
        async with self.news:
            self.heard.append((name, payload))
            self.news.notify_all()

    async def enter(self, token):
        await self.socket.connect(URL, auth={"token": token}, transports=TRANSPORTS.split(","), wait_timeout=15)
        assert (await self.event("connected"))["message"] == "Connected"

    async def event(self, wanted):
        def found():
            return next((at for at, (name, _) in enumerate(self.heard) if name == wanted), None)

        async with self.news:
            await asyncio.wait_for(self.news.wait_for(lambda: found() is not None), 15)
            return self.heard.pop(found())[1]

    async def ask(self, name, payload):
        return await self.socket.call(name, payload, timeout=15)


async def main():
    alice, bob, xena = people = [Person() for _ in TOKENS]
    for person, token in zip(people, TOKENS):
        await person.enter(token)
    wrong = socketio.AsyncClient(reconnection=False)
    refusals = []
    wrong.on("connect_error", lambda refused: refusals.append(refused))
    try:
        await wrong.connect(URL, auth={"token": "nonsense"}, transports=TRANSPORTS.split(","), wait_timeout=15)
        raise AssertionError("a wrong token was let in")
    except socketio.exceptions.ConnectionError:
        assert refusals[0]["data"]["code"] == "invalid_token", refusals

    assert await alice.ask("join_ticket", {"ticketId": "T-1"}) == {"success": True, "ticketId": "T-1"}
    assert (await alice.event("messages_history"))["messages"] == []
    await bob.ask("join_ticket", {"ticketId": "T-1"})
    assert (await alice.event("user_joined"))["userId"] == "u-bob"
    sent = await bob.ask("send_message", {"ticketId": "T-1", "message": "Grüße \U0001f600"})
    assert (await alice.event("new_message"))["message"]["id"] == sent["message"]["id"]
    await bob.ask("typing_start", {"ticketId": "T-1"})
    await alice.event("user_typing")
    assert await bob.ask("leave_ticket", {"ticketId": "T-1"}) == {"success": True, "ticketId": "T-1"}
    await alice.event("user_left")
    assert any(name == "user_stopped_typing" for name, _ in alice.heard), "the stop comes before the leaving"
    await bob.ask("join_ticket", {"ticketId": "T-1"})
    await alice.event("user_joined")
    assert (await xena.ask("join_ticket", {"ticketId": "T-1"}))["error"] == "not_found"

    await alice.ask("join_room", {"room_id": ROOM})
    await bob.ask("join_room", {"room_id": ROOM})
    await alice.event("user_joined")
    for n in range(20):
        ack = await bob.ask("send_message", {"room_id": ROOM, "content": f"line {n}", "blob": b"\x01\x02"})
        assert ack["success"], ack
    for n in range(20):
        assert (await alice.event("new_message"))["message"]["content"] == f"line {n}"
    await bob.socket.disconnect()
    left = [await alice.event("user_left"), await alice.event("user_left")]
    assert {one.get("ticketId") or one.get("room_id") for one in left} == {"T-1", ROOM}, left
    for person in (alice, xena):
        await person.socket.disconnect()
    print("journey done")


asyncio.run(main())
