"""Says something in somebody's name and shows that person's inbox, with nothing but the standard library."""

import argparse
import json
import os
import urllib.request

BASE = os.environ.get("PARLOR_URL", "http://127.0.0.1:3000")
KEY = os.environ.get("PARLOR_APP_KEY", "an-example-key-of-32-characters-or-more")


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"X-App-Key": KEY, "Content-Type": "application/json"}
    request = urllib.request.Request(BASE + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("username")
    parser.add_argument("message")
    parser.add_argument("--team", help="a team's channel")
    parser.add_argument("--to", help="another user")
    asked = parser.parse_args()
    body = {"from_name": asked.username, "message": asked.message}
    body.update({key: value for key, value in (("team", asked.team), ("to", asked.to)) if value})
    call("POST", "/api/chat/send", body)
    inbox = call("GET", f"/api/chat/inbox/{asked.username}")
    for room in inbox["rooms"]:
        print(f"{room['display_name']} ({room['unread']} unread)")
        for message in room["messages"]:
            print(f"  {message['timestamp']} {message['from_name']}: {message['message']}")


if __name__ == "__main__":
    main()
