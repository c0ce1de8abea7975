"""A real mail server that keeps nothing: each letter it takes becomes a line of JSON on its output.

The first line tells the port. Started with `--refuse N`, it puts the first N letters off with 451.
It ends when its input does.
"""

import asyncio
import json
import sys

from aiosmtpd.smtp import SMTP


class Sink:
    def __init__(self, refuse):
        self.refuse = refuse

    async def handle_DATA(self, server, session, envelope):
        if self.refuse > 0:
            self.refuse -= 1
            return "451 come again later"
        letter = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "data": envelope.content.decode("utf-8", "replace"),
        }
        print(json.dumps(letter), flush=True)
        return "250 taken"


async def main():
    refuse = int(sys.argv[2]) if sys.argv[1:2] == ["--refuse"] else 0
    sink = Sink(refuse)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, hostname="localhost"), "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
