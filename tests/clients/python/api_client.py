"""rocketchat_API: the REST API as a Python object, as scripts and administrators use it."""

import base64
import json
import sys

from rocketchat_API.rocketchat import RocketChat

import api_journey
from driver import answered, hello, now, plain, refused, write


class Client:
    def __init__(self, url):
        self.url = url

    def login(self, username, password):
        self.chat = RocketChat(username, password, server_url=self.url)
        return {"id": self.chat.headers["X-User-Id"]}

    def create(self, name, members, hidden):
        if hidden:
            return {"rid": self.chat.groups_create(name, members=members)["group"]["_id"]}
        return {"rid": self.chat.channels_create(name, members=members)["channel"]["_id"]}

    def send(self, rid, text, thread=None):
        message = {"rid": rid, "msg": text, **({"tmid": thread} if thread else {})}
        return {"message": self.chat.chat_send_message(message)["message"]["_id"]}

    def status(self, status, text):
        self.chat.users_set_status(text, status=status)

    def edit(self, rid, message, text):
        self.chat.chat_update(rid, message, text)

    def react(self, message, emoji):
        self.chat.chat_react(message, emoji)

    def remove(self, rid, message):
        self.chat.chat_delete(rid, message)

    def upload(self, rid, name, kind, content, text):
        media = self.chat.rooms_media(rid, (name, base64.b64decode(content), kind))["file"]
        message = self.chat.rooms_media_confirm(rid, media["_id"], msg=text)["message"]
        return {"message": message["_id"], "url": media["url"]}

    def search(self, rid, text):
        return [plain(message) for message in self.chat.chat_search(rid, text)]

    def thread(self, message):
        return [plain(reply) for reply in self.chat.chat_get_thread_messages(message)]

    def history(self, rid, family):
        pages = {"channels": self.chat.channels_history, "groups": self.chat.groups_history, "im": self.chat.dm_history}
        # Small pages, so that the library's own paging is part of the journey.
        return [plain(message) for message in pages[family](rid, count=7)][::-1]

    def read(self, rid):
        self.chat.subscriptions_read(rid)

    def chatter(self, rid, count, prefix):
        said = []
        for number in range(count):
            body, sent = f"{prefix} {number}", now()
            stored = self.chat.chat_send_message({"rid": rid, "msg": body})["message"]["_id"]
            said.append({"body": body, "sent": sent, "acked": now(), "stored": stored})
        return said

    def own(self, rid, name, peer):
        return api_journey.walk(self.chat, rid, name, peer)

    def administer(self, rid, name, peer):
        return api_journey.administer(self.chat, rid, name, peer)


def main():
    client = Client(sys.argv[1])
    actions = {name: getattr(client, name) for name in dir(Client) if not name.startswith("_")}
    hello(actions)
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "quit":
            break
        number = command.pop("id")
        try:
            answered(number, actions[command.pop("do")](**command))
        except Exception as error:  # Whatever it is, the conductor is told.
            write({"re": number, "error": refused(error)})


main()
