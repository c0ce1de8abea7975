"""An administrator's day with rocketchat_API: whatever an administrator does, and beside it a member who may not."""

import contextlib
import json
import os
import tempfile

import requests
from rocketchat_API.APIExceptions.RocketExceptions import (
    RocketApiException,
    RocketAuthenticationException,
    RocketBadStatusCodeException,
)
from rocketchat_API.rocketchat import RocketChat

from driver import claim

PASSWORD = "mona's own secret"
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364600000000600023081d02f0000000049454e44ae426082"
)


@contextlib.contextmanager
def refused(what, kind=None):
    """The calls inside must be refused, with this error type if one is named."""
    try:
        yield
    except RocketApiException as error:
        claim(kind in (None, error.error_type), f"{what}: refused with {error.error_type} ({error}), not {kind}")
    except RocketBadStatusCodeException:
        claim(kind is None, f"{what}: refused without the type {kind}")
    else:
        claim(False, f"{what}: was not refused")


def signed_in(chat, name, password):
    try:
        return RocketChat(name, password, server_url=chat.server_url)
    except RocketAuthenticationException:
        return None


def day(admin):
    """All sections. Whoever is called `mona` here is an ordinary member."""
    mona_id = admin.users_create("mona@example.org", "Mona", PASSWORD, "mona", verified=True)["user"]["_id"]
    mona = signed_in(admin, "mona", PASSWORD)
    users(admin, mona)
    rooms(admin, mona, mona_id)
    roles(admin, mona, mona_id)
    permissions(admin, mona)
    settings(admin, mona)
    statistics(admin, mona)
    integrations(admin, mona)
    moderation(admin, mona, mona_id)
    customs(admin, mona)
    invites(admin, mona)


def users(admin, mona):
    with refused("making accounts"):
        mona.users_create("x@example.org", "X", "secret of x 1", "x.of.nobody")
    made = admin.users_create("nils@example.org", "Nils", "nils' own secret", "nils", verified=True)["user"]
    with refused("a name that is taken"):
        admin.users_create("other@example.org", "Other", "secret of other 1", "nils")
    with refused("an address that is taken"):
        admin.users_create("nils@example.org", "Other", "secret of other 1", "nils.two")
    with refused("an address that is none"):
        admin.users_create("no address", "Other", "secret of other 1", "nils.two")
    nils = signed_in(admin, "nils", "nils' own secret")
    claim(nils is not None, "a new account signs in")
    with refused("changing somebody else"):
        mona.users_update(made["_id"], name="Mona's")
    with refused("switching somebody off"):
        mona.users_set_active_status(made["_id"], False)
    with refused("removing somebody"):
        mona.users_delete(made["_id"])
    # A new password ends the sessions of before.
    admin.users_update(made["_id"], password="another secret 7", requirePasswordChange=True)
    with refused("a token from before the new password"):
        nils.me()
    claim(signed_in(admin, "nils", "nils' own secret") is None, "the old password is gone")
    nils = signed_in(admin, "nils", "another secret 7")
    claim(nils is not None, "the new one is in force")
    seen = admin.users_info(username="nils")["user"]
    claim(seen["emails"][0]["address"] == "nils@example.org", "an administrator sees addresses")
    claim("emails" not in mona.users_info(username="nils")["user"], "a member does not")
    admin.users_set_active_status(made["_id"], False)
    with refused("a token of whom is switched off"):
        nils.me()
    listed = {one["username"]: one for one in admin.users_list(count=1)}
    claim(listed["nils"]["active"] is False and "mona" in listed, "users.list shows who is switched off")
    admin.users_set_active_status(made["_id"], True)
    admin.users_delete(made["_id"])
    with refused("removing somebody twice"):
        admin.users_delete(made["_id"])


def rooms(admin, mona, mona_id):
    cellar = mona.groups_create("cellar")["group"]["_id"]
    listed = {one["_id"]: one for one in admin.rooms_admin_rooms(count=2)}
    claim(listed[cellar]["name"] == "cellar", "rooms.adminRooms shows private rooms, page by page")
    with refused("listing all rooms"):
        list(mona.rooms_admin_rooms())
    attic = admin.channels_create("attic")["channel"]["_id"]
    admin.channels_invite(attic, mona_id)
    with refused("archiving somebody else's room"):
        mona.channels_archive(attic)
    admin.channels_archive(attic)
    with refused("writing to an archived room"):
        mona.chat_post_message("hello", room_id=attic)
    admin.channels_unarchive(attic)
    said = mona.chat_post_message("old words", room_id=attic)["message"]
    with refused("clearing a room's history"):
        mona.rooms_clean_history(attic, said["ts"], "2020-01-01T00:00:00.000Z", inclusive=True)
    cleaned = admin.rooms_clean_history(attic, said["ts"], "2020-01-01T00:00:00.000Z", inclusive=True)
    claim(cleaned["count"] >= 1, f"rooms.cleanHistory tells how many: {cleaned}")
    claim(all(one["msg"] != "old words" for one in admin.channels_history(attic)), "they are gone")
    with refused("removing somebody else's room"):
        mona.channels_delete(room_id=attic)
    admin.channels_delete(room_id=attic)
    with refused("a room that is gone", "error-room-not-found"):
        admin.channels_info(room_id=attic)


def roles(admin, mona, mona_id):
    known = {one["_id"] for one in admin.roles_list()["roles"]}
    claim({"admin", "moderator", "user", "guest", "bot", "owner", "leader"} <= known, f"roles: {known}")
    claim("update" in admin.roles_sync("2020-01-01T00:00:00.000Z")["roles"], "roles.sync")
    with refused("giving a role"):
        mona.roles_add_user_to_role("admin", "mona")
    given = admin.roles_add_user_to_role("guest", "mona")["role"]
    claim(given["_id"] == "guest", "roles.addUserToRole tells the role")
    claim(any(one["_id"] == mona_id for one in admin.roles_get_users_in_role("guest")), "its holders")
    with refused("a role twice"):
        admin.roles_add_user_to_role("guest", "mona")
    with refused("an unknown role"):
        admin.roles_add_user_to_role("no-such-role", "mona")
    with refused("a role for nobody"):
        admin.roles_add_user_to_role("guest", "nobody-of-that-name")
    admin.roles_remove_user_from_role("guest", "mona")
    with refused("taking a role that nobody gave"):
        admin.roles_remove_user_from_role("guest", "mona")
    with refused("taking the last administrator's role", "error-admin-required"):
        admin.roles_remove_user_from_role("admin", admin.me()["username"])
    with refused("removing a role that the server needs"):
        admin.roles_delete("admin")
    with refused("removing a role"):
        mona.roles_delete("guest")
    claim(isinstance(admin.roles_get_users_in_public_roles()["users"], list), "roles.getUsersInPublicRoles")


def permissions(admin, mona):
    every = {one["_id"]: one["roles"] for one in admin.permissions_list_all()["update"]}
    with refused("changing permissions"):
        mona.permissions_update([{"_id": "create-c", "roles": ["user"]}])
    with refused("an unknown permission"):
        admin.permissions_update([{"_id": "no-such-permission", "roles": ["user"]}])
    with refused("a permission for an unknown role"):
        admin.permissions_update([{"_id": "create-c", "roles": ["no-such-role"]}])
    admin.permissions_update([{"_id": "create-c", "roles": ["admin"]}])
    with refused("a permission that was taken away"):
        mona.channels_create("mona-may-not")
    admin.permissions_update([{"_id": "create-c", "roles": every["create-c"]}])
    claim(mona.channels_create("mona-may")["success"], "it is in force at once when it is given back")


def settings(admin, mona):
    with refused("reading a setting"):
        mona.settings_get("Site_Name")
    with refused("changing a setting"):
        mona.settings_update("Site_Name", "Mona's")
    with refused("an unknown setting"):
        admin.settings_update("No_Such_Setting", 1)
    with refused("a number where a switch is meant"):
        admin.settings_update("Accounts_AllowRealNameChange", "perhaps")
    public = {one["_id"] for one in mona.settings_public()}
    every = {one["_id"] for one in admin.settings(count=100)}
    claim("Site_Name" in public and public < every, "settings.public")
    claim({one["_id"] for one in mona.settings(count=100)} == public, "members see the public ones alone")
    claim("SMTP_Password" in every and "SMTP_Password" not in public, "secrets are not public")
    admin.settings_update("SMTP_Password", "of the mail server")
    claim("of the mail server" not in json.dumps(admin.settings_get("SMTP_Password")), "a secret is not told again")
    claim("configurations" in mona.service_configurations(), "service.configurations")
    admin.settings_update("Accounts_AllowRealNameChange", False)
    claim(admin.settings_get("Accounts_AllowRealNameChange")["value"] is False, "a switch is kept")
    admin.settings_update("Accounts_AllowRealNameChange", True)


def statistics(admin, mona):
    figures = admin.statistics(refresh="true")
    for key in ("totalUsers", "totalRooms", "totalMessages", "version", "process"):
        claim(key in figures, f"statistics tell {key}")
    claim(figures["totalUsers"] >= 2 and figures["totalMessages"] >= 0, "they are counted")
    claim(isinstance(list(admin.statistics_list(count=5)), list), "statistics.list")
    with refused("statistics"):
        mona.statistics()
    with refused("the list of statistics"):
        mona.statistics_list()


def integrations(admin, mona):
    incoming, outgoing = "webhook-incoming", "webhook-outgoing"
    name = admin.me()["username"]
    with refused("setting a webhook up"):
        mona.integrations_create(incoming, "mine", True, "mona", "#general", False)
    made = admin.integrations_create(incoming, "monitor", True, name, "#general", False)["integration"]
    hook = requests.post(f"{admin.server_url}/hooks/{made['_id']}/{made['token']}", json={"text": "disk full"}, timeout=30)
    claim(hook.status_code == 200, f"the address takes words: {hook.text}")
    general = admin.rooms_info(room_name="general")["room"]["_id"]
    claim(any(one["msg"] == "disk full" for one in admin.channels_history(general)), "they are in the room")
    wrong = requests.post(f"{admin.server_url}/hooks/{made['_id']}/wrong", json={"text": "x"}, timeout=30)
    claim(wrong.status_code == 404, "a wrong token opens nothing")
    out = admin.integrations_create(
        outgoing, "caller", True, name, "#general", False, event="sendMessage", urls=["https://hooks.example.org/"]
    )["integration"]
    listed = {one["_id"] for one in admin.integrations_list(count=1)}
    claim({made["_id"], out["_id"]} <= listed, "integrations.list, page by page")
    with refused("listing them"):
        mona.integrations_list()
    with refused("looking at one"):
        mona.integrations_get(made["_id"])
    claim(admin.integrations_get(made["_id"])["integration"]["name"] == "monitor", "integrations.get")
    admin.integrations_update(incoming, "monitor two", False, name, "#general", False, made["_id"])
    claim(admin.integrations_get(made["_id"])["integration"]["enabled"] is False, "integrations.update")
    silent = requests.post(f"{admin.server_url}/hooks/{made['_id']}", json={"text": "x"}, timeout=30)
    claim(silent.status_code == 404, "what is switched off is unknown")
    with refused("an event that there is not"):
        admin.integrations_create(outgoing, "x", True, name, "#general", False, event="never", urls=["https://a.example/"])
    with refused("a room that there is not"):
        admin.integrations_create(incoming, "x", True, name, "#no-such-room", False)
    claim(list(admin.integrations_history(out["_id"])) == [], "nothing was called yet")
    claim(list(admin.integrations_history(made["_id"])) == [], "an incoming one calls nobody")
    with refused("removing one"):
        mona.integrations_remove(incoming, made["_id"])
    for kind, one in ((incoming, made), (outgoing, out)):
        admin.integrations_remove(kind, one["_id"])
        with refused("one that is gone"):
            admin.integrations_get(one["_id"])


def moderation(admin, mona, mona_id):
    room = mona.channels_create("quay")["channel"]["_id"]
    bad = mona.chat_post_message("rude words", room_id=room)["message"]["_id"]
    admin.call_api_post("chat.reportMessage", messageId=bad, description="rude")
    with refused("the moderators' desk"):
        mona.moderation_reports_by_users()
    groups = list(admin.moderation_reports_by_users())
    claim(any(one["userId"] == mona_id and one["count"] == 1 for one in groups), f"reports by users: {groups}")
    report = list(admin.moderation_reports(bad))[0]
    claim(report["description"] == "rude", "moderation.reports")
    claim(admin.moderation_report_info(report["_id"])["report"]["_id"] == report["_id"], "moderation.reportInfo")
    messages = admin.moderation_user_reported_messages(mona_id)["messages"]
    claim(messages[0]["message"]["msg"] == "rude words", "moderation.user.reportedMessages")
    with refused("taking reported words down"):
        mona.moderation_user_delete_reported_messages(mona_id)
    admin.moderation_user_delete_reported_messages(mona_id)
    with refused("a message that was taken down"):
        admin.chat_get_message(bad)
    claim(list(admin.moderation_reports_by_users()) == [], "the desk is empty")
    with refused("no report at all"):
        admin.moderation_report_info("no-such-report")


def customs(admin, mona):
    with tempfile.TemporaryDirectory() as folder:
        picture = os.path.join(folder, "dot.png")
        with open(picture, "wb") as file:
            file.write(DOT)
        with refused("making an emoji"):
            mona.custom_emoji_create("dot", picture)
        admin.custom_emoji_create("dot", picture, aliases="point")
        with refused("an emoji twice"):
            admin.custom_emoji_create("dot", picture)
    made = next(one for one in mona.custom_emoji_list()["emojis"]["update"] if one["name"] == "dot")
    claim(made["aliases"] == ["point"], f"an emoji has its other names: {made}")
    with refused("removing an emoji"):
        mona.custom_emoji_delete(made["_id"])
    admin.custom_emoji_delete(made["_id"])
    with refused("making a status"):
        mona.custom_user_status_create("at sea", "away")
    status = admin.custom_user_status_create("at sea", "away")["customUserStatus"]["_id"]
    claim(any(one["_id"] == status for one in mona.custom_user_status_list()), "custom-user-status.list")
    admin.custom_user_status_delete(status)
    claim(isinstance(list(admin.custom_sounds_list()), list), "custom-sounds.list")


def invites(admin, mona):
    room = admin.groups_create("back-room")["group"]["_id"]
    with refused("an invitation into somebody else's room"):
        mona.find_or_create_invite(room, 1, 1)
    invite = admin.find_or_create_invite(room, 1, 1)
    claim(any(one["_id"] == invite["_id"] for one in admin.list_invites()), "listInvites")
    claim(mona.use_invite_token(invite["_id"])["room"]["rid"] == room, "an invitation leads in")
    with refused("what was used up"):
        guest = signed_in(admin, *stranger(admin))
        guest.use_invite_token(invite["_id"])
    admin.remove_invite(invite["_id"])
    claim(admin.validate_invite_token(invite["_id"])["valid"] is False, "what was removed is not valid")


def stranger(admin):
    admin.users_create("sten@example.org", "Sten", "sten's own secret", "sten")
    return "sten", "sten's own secret"
