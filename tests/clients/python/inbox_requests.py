"""The inbox door as a host application's backend uses it: plain requests, no library of ours.

Ends with a traceback and a status other than 0 when the server answers otherwise than its contract says.
"""

import json
import os
import threading

import requests

BASE = os.environ["PARLOR_URL"]
KEY = os.environ["PARLOR_APP_KEY"]
PATIENCE = 30


def session():
    made = requests.Session()
    made.headers["X-App-Key"] = KEY
    made.trust_env = False
    return made


def expect(answer, status):
    assert answer.status_code == status, f"{answer.request.url}: {answer.status_code} {answer.text}"
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json()


def events(answer):
    """Reads a stream line by line, as small clients do."""
    name, data = "message", None
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        if line.startswith("event: "):
            name = line[len("event: "):]
        elif line.startswith("data: "):
            data = json.loads(line[len("data: "):])
        elif line == "" and data is not None:
            yield name, data
            name, data = "message", None


def listen(heard, ready):
    with session().get(f"{BASE}/api/chat/stream", params={"user": "bob"}, stream=True, timeout=PATIENCE) as answer:
        assert answer.status_code == 200
        # Event streams are UTF-8 by definition; the library takes any text without a charset for Latin-1.
        answer.encoding = "utf-8"
        for name, data in events(answer):
            if name == "ready":
                ready.set()
            elif name == "message":
                heard.append(data)
                if data["message"] == "last":
                    return


def main():
    http = session()
    assert expect(http.get(f"{BASE}/api/auth/me"), 200) == {"app": True}
    expect(http.post(f"{BASE}/api/chat/teams", json={"team": "crew", "members": ["bob"]}), 201)
    heard, ready = [], threading.Event()
    listener = threading.Thread(target=listen, args=(heard, ready), daemon=True)
    listener.start()
    assert ready.wait(PATIENCE), "the stream is not ready"
    for text in ("first", "zweite 🎭", "last"):
        sent = expect(
            http.post(f"{BASE}/api/chat/send", json={"from_name": "alice", "team": "crew", "message": text}), 201
        )
        assert sent["success"] is True and sent["message"]["from_name"] == "alice"
    listener.join(PATIENCE)
    assert [message["message"] for message in heard] == ["first", "zweite 🎭", "last"]
    inbox = expect(http.get(f"{BASE}/api/chat/inbox/bob"), 200)
    crew = next(room for room in inbox["rooms"] if room["team"] == "crew")
    assert [m["id"] for m in crew["messages"]] == [m["id"] for m in heard]
    assert expect(http.get(f"{BASE}/api/chat/unread-count/bob"), 200)["unread_count"] == 3
    expect(http.post(f"{BASE}/api/chat/mark-all-read", json={"username": "bob"}), 200)
    assert expect(http.get(f"{BASE}/api/chat/unread-count/bob"), 200)["unread_count"] == 0
    hook = {"user": {"name": "deployer"}, "attachments": [{"text": "done"}], "channel_name": "crew"}
    assert expect(http.post(f"{BASE}/api/chat/webhook", json=hook), 200) == {"success": True}
    refused = requests.post(f"{BASE}/api/chat/send", json={"message": "x"}, timeout=PATIENCE)
    assert refused.status_code == 401 and refused.json()["error"] == "unauthorized"


if __name__ == "__main__":
    main()
    print("ok")
