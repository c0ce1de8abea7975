"""A real mail server that keeps nothing: each letter it takes becomes a line of JSON on its output.

The first line tells the port. `--refuse N` puts the first N letters off with 451. `--tls starttls` or `--tls smtps` takes
letters over TLS alone, with the pair in `--certificate` and `--key`, and only from `ann` with the password `secret p:w`.
It ends when its input does.
"""

import argparse
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


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
            "encrypted": session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None,
        }
        print(json.dumps(letter), flush=True)
        return "250 taken"


def proves(server, session, envelope, mechanism, data):
    known = data.login == b"ann" and data.password == b"secret p:w"
    return AuthResult(success=known, handled=False)


async def main():
    options = argparse.ArgumentParser()
    options.add_argument("--refuse", type=int, default=0)
    options.add_argument("--tls", choices=["starttls", "smtps"])
    options.add_argument("--certificate")
    options.add_argument("--key")
    options = options.parse_args()
    sink = Sink(options.refuse)
    more = {}
    context = None
    if options.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate, options.key)
        more = {"authenticator": proves, "auth_required": True}
    if options.tls == "starttls":
        more |= {"tls_context": context, "require_starttls": True}
    elif options.tls == "smtps":
        # The library counts only its own STARTTLS as encryption.
        more |= {"auth_require_tls": False}
    wrapped = context if options.tls == "smtps" else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(sink, hostname="localhost", **more), "127.0.0.1", 0, ssl=wrapped
    )
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
