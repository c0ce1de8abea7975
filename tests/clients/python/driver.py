"""What both Python drivers share: a conversation with the conductor over standard input and output.

The conductor writes one JSON command a line, ``{"id": n, "do": "send", ...}``, and gets
``{"re": n, "at": ..., "ok": ...}`` or ``{"re": n, "error": "..."}``. Whatever the client sees live is written as
``{"event": ..., ...}``. Times are nanoseconds of the machine's monotonic clock, which all drivers share.
"""

import json
import sys
import time
import traceback


def write(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def now():
    """The moment, in nanoseconds, as text: it outgrows a double."""
    return str(time.monotonic_ns())


def see(event, **fields):
    """Tells the conductor what the client sees."""
    write({"event": event, "at": now(), **fields})


def answered(number, answer):
    write({"re": number, "at": now(), "ok": answer})


def hello(actions):
    write({"event": "hello", "can": list(actions)})


def claim(holds, what):
    """Fails unless a claim of a client's own journey holds."""
    if not holds:
        raise AssertionError(f"claim failed: {what}")


def refused(error):
    """The answer to a command that failed."""
    return "".join(traceback.format_exception(error))


def plain(message):
    """A message as the conductor wants it, from the object a stream or an endpoint delivers."""
    reactions = message.get("reactions") or {}
    return {
        "rid": message["rid"],
        "message": message["_id"],
        "text": message["msg"],
        "author": message["u"]["username"],
        "thread": message.get("tmid"),
        "replies": message.get("tcount", 0),
        "edited": "editedAt" in message,
        "file": (message.get("file") or {}).get("name"),
        "kind": message.get("t"),
        "reactions": {emoji: of["usernames"] for emoji, of in reactions.items()},
    }
