"""Tells Parlor of a ticket, says a line in the name of the application, and writes and reads as one of its people.

    PARLOR=http://localhost:3000 PARLOR_APP_KEY=... TOKEN=<a token of your application> python ticket.py T-1
"""

import os
import sys
import uuid

import requests

SERVER = os.environ.get("PARLOR", "http://localhost:3000")
TICKET = sys.argv[1] if len(sys.argv) > 1 else "T-1"
AS_APPLICATION = {"X-App-Key": os.environ["PARLOR_APP_KEY"]}
AS_PERSON = {"Authorization": f"Bearer {os.environ['TOKEN']}"}


def call(method, path, headers, **more):
    answer = requests.request(method, f"{SERVER}{path}", headers=headers, timeout=10, **more)
    if not answer.ok:
        body = answer.json()
        sys.exit(f"{method} {path}: {answer.status_code} {body['error']}: {body['message']}")
    return answer.json()


me = call("GET", "/api/auth/me", AS_PERSON)["user"]
facts = {"title": "Short delivery", "created_by": me["id"], "category": "PAYMENT"}
call("PUT", f"/api/tickets/{TICKET}", AS_APPLICATION, json=facts)
line = {"message": "The ticket was opened", "messageType": "SYSTEM", "clientId": f"opened-{TICKET}"}
call("POST", f"/api/tickets/{TICKET}/chat", AS_APPLICATION, json=line)
# The same clientId on a retry is the same message for ever.
said = {"message": "Two boxes are missing.", "clientId": str(uuid.uuid4())}
call("POST", f"/api/tickets/{TICKET}/chat", AS_PERSON, json=said)
for message in call("GET", f"/api/tickets/{TICKET}/chat", AS_PERSON)["messages"]:
    print(f"{message['sender']['name']}: {message['message']}")
