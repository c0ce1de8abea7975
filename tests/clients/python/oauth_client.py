"""An application that asks for access by requests-oauthlib: `oauth_client.py SERVER CLIENT_ID SECRET REDIRECT LOGIN_TOKEN`.

Plays the person's part of the consent page too, and says what it saw as one JSON object.
"""

import json
import os
import sys

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from requests_oauthlib import OAuth2Session

server, client_id, secret, redirect, login = sys.argv[1:]
seen = {}

app = OAuth2Session(client_id, redirect_uri=redirect, pkce="S256")
address, state = app.authorization_url(server + "/oauth/authorize")
page = requests.get(address, headers={"accept-language": "fr-FR"})
assert page.status_code == 200 and 'lang="fr"' in page.text, page.text
assert "frame-ancestors 'none'" in page.headers["content-security-policy"]

# What the page sends when the person allows it.
query = dict(pair.split("=", 1) for pair in address.split("?", 1)[1].split("&"))
form = {name: requests.utils.unquote(value) for name, value in query.items()}
form.update(allow="yes", token=login)
answer = requests.post(server + "/oauth/authorize", data=form, allow_redirects=False)
assert answer.status_code == 302, answer.text

token = app.fetch_token(
    server + "/oauth/token", authorization_response=answer.headers["location"], client_secret=secret
)
person = app.get(server + "/oauth/userinfo")
assert person.headers["content-type"] == "application/json; charset=utf-8"
seen["sub"] = person.json()["sub"]
seen["me"] = app.get(server + "/api/v1/me").json()["_id"]

first = token["access_token"]
token = app.refresh_token(server + "/oauth/token", client_id=client_id, client_secret=secret)
seen["old"] = requests.get(server + "/api/v1/me", headers={"authorization": "Bearer " + first}).status_code
seen["new"] = app.get(server + "/api/v1/me").status_code
seen["access_token"] = token["access_token"]
seen["refresh_token"] = token["refresh_token"]
print(json.dumps(seen))
