"""A driver and somebody of the control centre at the support desk, with `websockets`; exits 0 when all is right.

python support_websockets.py URL DRIVER_TOKEN CONTROL_TOKEN OUTSIDER_TOKEN
"""

import asyncio
import json
import sys

import websockets

URL, DRIVER, CONTROL, OUTSIDER = sys.argv[1:]
PATIENCE = 20


class Person:
    """One connection; what comes and was not waited for is kept."""

    def __init__(self, socket):
        self.socket, self.kept, self.asked = socket, [], 0

    async def next(self, wanted):
        for at, frame in enumerate(self.kept):
            if wanted(frame):
                return self.kept.pop(at)
        while True:
            frame = json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE))
            assert "type" in frame and "timestamp" in frame, frame
            if wanted(frame):
                return frame
            self.kept.append(frame)

    async def event(self, kind):
        return await self.next(lambda frame: frame["type"] == kind)

    async def ask(self, kind, flat=False, **fields):
        """`{type, data}` as the document has it, or everything in one object."""
        self.asked += 1
        body = fields if flat else {"data": fields}
        await self.socket.send(json.dumps({"type": kind, "request_id": self.asked, **body}))
        return await self.next(lambda frame: frame.get("request_id") == self.asked)

    async def done(self, kind, flat=False, **fields):
        answer = await self.ask(kind, flat, **fields)
        assert answer["type"] == f"{kind}_success", answer
        return answer


def connect(token):
    return websockets.connect(f"{URL.replace('http', 'ws', 1)}/api/websocket/connect?token={token}")


async def desk():
    async with connect(DRIVER) as driving, connect(CONTROL) as watching:
        driver, control = Person(driving), Person(watching)
        assert (await driver.event("connected"))["class"] == "field"
        assert (await control.event("connected"))["class"] == "control"
        await control.done("join_support_room", room_type="general_support")
        text = "I need to discuss changing my route due to road construction."
        made = await driver.done("create_support_conversation", title="Route Change Request", content=text)
        case = made["conversation"]["id"]
        told = await control.event("new_support_conversation")
        assert told["conversation_id"] == case and told["message"]["content"] == text, told
        await control.done("claim_conversation", conversation_id=case)
        assert (await driver.event("new_message"))["message"]["message_type"] == "SYSTEM"
        for n, flat in enumerate((False, True)):
            said = f"Which road? \N{BUS} {n}"
            sent = await control.done("send_chat_message", flat, conversation_id=case, content=said)
            heard = await driver.event("new_message")
            assert heard["message"] == sent["message"] and heard["message"]["content"] == said, heard
        await driver.done("typing_indicator", flat=True, conversation_id=case, is_typing=True)
        typing = await control.event("typing_status")
        assert typing["user_id"] == made["conversation"]["created_by"] and typing["is_typing"] is True
        read = await driver.done("mark_message_read", message_id=sent["message"]["id"])
        assert (await control.event("message_read"))["message_ids"] == read["message_ids"]
        refused = await driver.ask("join_support_room", room_type="general_support")
        assert (refused["type"], refused["error"]) == ("join_support_room_error", "support_room_denied")
        pong = await driver.ask("ping", flat=True, timestamp=17)
        assert (pong["type"], pong["timestamp"]) == ("pong", 17), pong
        await driving.send(b"\x00")
        assert (await driver.event("error"))["error"] == "validation_failed"
        return case, sent["message"]["id"], control


async def main():
    case, last, _ = await desk()
    # Cut off; what is said meanwhile is there after the last message that was seen.
    async with connect(CONTROL) as watching:
        control = Person(watching)
        for n in range(5):
            await control.done("send_chat_message", conversation_id=case, content=f"missed {n}")
    async with connect(DRIVER) as driving:
        driver = Person(driving)
        back = await driver.done("join_room", flat=True, room_id=case, after=last)
        assert [m["content"] for m in back["messages"]] == [f"missed {n}" for n in range(5)], back
    async with connect(OUTSIDER) as standing:
        outsider = Person(standing)
        refused = await outsider.ask("join_conversation", conversation_id=case)
        unknown = await outsider.ask("join_conversation", conversation_id="nothing")
        assert refused["error"] == unknown["error"] == "not_found", (refused, unknown)
        assert refused["message"] == unknown["message"]
    async with connect("nonsense") as refused:
        assert json.loads(await refused.recv())["error"] == "invalid_token"
        try:
            await asyncio.wait_for(refused.recv(), PATIENCE)
            raise AssertionError("a wrong token was let in")
        except websockets.exceptions.ConnectionClosed as closed:
            assert closed.rcvd.code == 4401, closed
    print("journey done")


asyncio.run(main())
