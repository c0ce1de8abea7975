"""A member's and an administrator's day with rocketchat_API, section by section of the library."""

import contextlib

from rocketchat_API.APIExceptions.RocketExceptions import (
    RocketApiException,
    RocketAuthenticationException,
    RocketBadStatusCodeException,
)
from rocketchat_API.rocketchat import RocketChat

import api_admin
from driver import claim


@contextlib.contextmanager
def refusal(what, kind=None):
    """The calls inside must be refused, with this error type if one is named."""
    try:
        yield
    except RocketApiException as error:
        claim(kind in (None, error.error_type), f"{what}: refused with {error.error_type}, not {kind}")
    except RocketBadStatusCodeException:
        claim(kind is None, f"{what}: refused without the type {kind}")
    else:
        claim(False, f"{what}: was not refused")


def walk(chat, rid, name, peer):
    """A member's day. The room is the member's own; the peer is a member of it."""
    myself(chat)
    peer_id = people(chat, peer)
    rooms(chat, rid, name, peer_id)
    messages(chat, rid)
    threads_and_discussions(chat, rid)
    direct(chat, peer)
    groups(chat, peer_id)
    sessions(chat)
    return "rocketchat_API"


def myself(chat):
    me = chat.me()
    claim(me["success"] and me["_id"] == chat.headers["X-User-Id"], "me")
    for key in ("username", "name", "emails", "status", "roles", "settings", "active"):
        claim(key in me, f"me tells {key}")
    claim("version" in chat.info(), "info tells a version without more rights")
    chat.users_set_preferences(me["_id"], {"useEmojis": False})
    claim(chat.users_get_preferences()["preferences"]["useEmojis"] is False, "a preference is kept")
    chat.users_set_status("at the journey", status="away")
    claim(chat.users_get_presence(user_id=me["_id"])["success"], "users.getPresence")


def people(chat, peer):
    user = chat.users_info(username=peer)["user"]
    claim(user["username"] == peer and "emails" not in user, "users.info of another shows no address")
    with refusal("an unknown user"):
        chat.users_info(username="nobody-of-that-name")
    found = chat.spotlight(peer)
    claim(any(one["username"] == peer for one in found["users"]), "spotlight finds a person")
    listed = list(chat.directory({"type": "users", "text": peer}))
    claim(any(one["username"] == peer for one in listed), "the directory finds a person by a query")
    claim(chat.roles_list()["roles"], "roles.list")
    claim(chat.permissions_list_all()["update"], "permissions.listAll")
    return user["_id"]


def rooms(chat, rid, name, peer_id):
    claim(chat.channels_info(room_id=rid)["channel"]["name"] == name, "channels.info by id")
    claim(chat.channels_info(channel=name)["channel"]["_id"] == rid, "channels.info by name")
    claim(any(one["_id"] == rid for one in chat.channels_list()), "channels.list")
    claim(any(one["_id"] == rid for one in chat.channels_list_joined()), "channels.list.joined")
    claim(any(one["_id"] == peer_id for one in chat.channels_members(room_id=rid, count=1)), "members, page by page")
    chat.channels_set_topic(rid, "the topic")
    chat.channels_set_description(rid, "the description")
    chat.channels_set_announcement(rid, "the announcement")
    room = chat.rooms_info(room_id=rid)["room"]
    told = [room[key] for key in ("topic", "description", "announcement")]
    claim(told == ["the topic", "the description", "the announcement"], "what a room is about")
    roles(chat, rid, peer_id)
    chat.channels_set_read_only(rid, True)
    chat.channels_set_read_only(rid, False)
    chat.rooms_favorite(room_id=rid, favorite=True)
    claim(chat.subscriptions_get_one(rid)["subscription"]["f"] is True, "a favourite")
    counters = chat.channels_counters(room_id=rid)
    claim(counters["joined"] and counters["members"] >= 2, "counters")
    claim(any(one["_id"] == rid for one in chat.rooms_get()["update"]), "rooms.get")
    claim(any(one["rid"] == rid for one in chat.subscriptions_get()["update"]), "subscriptions.get")
    chat.channels_close(rid)
    chat.channels_open(rid)
    with refusal("a channel of the same name", "error-duplicate-channel-name"):
        chat.channels_create(name)
    with refusal("an unknown room", "error-room-not-found"):
        chat.channels_info(room_id="no-such-room")


def roles(chat, rid, peer_id):
    chat.channels_add_moderator(rid, peer_id)
    claim(any(one["_id"] == peer_id for one in chat.channels_moderators(room_id=rid)["moderators"]), "a moderator")
    chat.channels_remove_moderator(rid, peer_id)
    chat.channels_add_owner(rid, user_id=peer_id)
    with refusal("an owner twice", "error-user-already-owner"):
        chat.channels_add_owner(rid, user_id=peer_id)
    chat.channels_remove_owner(rid, peer_id)
    holders = chat.channels_roles(room_id=rid)["roles"]
    claim(len(holders) == 1 and "owner" in holders[0]["roles"], "one owner is left")
    with refusal("the last owner", "error-you-are-last-owner"):
        chat.channels_leave(rid)


def messages(chat, rid):
    posted = chat.chat_post_message("posted", room_id=rid)["message"]
    claim(chat.chat_get_message(posted["_id"])["message"]["msg"] == "posted", "a message by its id")
    chat.chat_update(rid, posted["_id"], "posted and mended")
    chat.chat_react(posted["_id"], "smile")
    chat.chat_star_message(posted["_id"])
    claim(any(one["_id"] == posted["_id"] for one in chat.chat_get_starred_messages(rid)), "a starred message")
    chat.chat_unstar_message(posted["_id"])
    chat.chat_pin_message(posted["_id"])
    claim(any(one["_id"] == posted["_id"] for one in chat.chat_get_pinned_messages(rid)), "a pinned message")
    chat.chat_unpin_message(posted["_id"])
    claim(any(one["_id"] == posted["_id"] for one in chat.chat_search(rid, "mended")), "found by its new text")
    since = "2020-01-01T00:00:00.000Z"
    updated = chat.chat_sync_messages(rid, since)["result"]["updated"]
    claim(any(one["_id"] == posted["_id"] for one in updated), "chat.syncMessages")
    chat.chat_delete(rid, posted["_id"])
    claim(any(one["_id"] == posted["_id"] for one in chat.chat_get_deleted_messages(rid, since)), "a deleted message")
    with refusal("a message that is gone"):
        chat.chat_get_message(posted["_id"])
    with refusal("a message to nowhere"):
        chat.chat_send_message({"rid": "no-such-room", "msg": "hello"})


def threads_and_discussions(chat, rid):
    root = chat.chat_send_message({"rid": rid, "msg": "a thread begins"})["message"]["_id"]
    for number in range(3):
        chat.chat_send_message({"rid": rid, "msg": f"reply {number}", "tmid": root})
    replies = [one["msg"] for one in chat.chat_get_thread_messages(root, count=2)]
    claim(replies == ["reply 0", "reply 1", "reply 2"], f"replies in their order, without the root: {replies}")
    claim(any(one["_id"] == root for one in chat.chat_get_threads_list(rid)), "chat.getThreadsList")
    chat.chat_unfollow_message(root)
    chat.chat_follow_message(root)
    made = chat.rooms_create_discussion(rid, "a discussion")["discussion"]
    claim(made["prid"] == rid and made["fname"] == "a discussion", "a discussion knows its parent")
    claim(any(one.get("drid") == made["_id"] for one in chat.chat_get_discussions(rid)), "chat.getDiscussions")


def direct(chat, peer):
    room = chat.dm_create(peer)["room"]
    claim(chat.dm_create(peer)["room"]["_id"] == room["_id"], "the same two people have one direct room")
    chat.chat_post_message("between us", channel=f"@{peer}")
    said = [one["msg"] for one in chat.dm_history(room["_id"])]
    claim(said == ["between us"], f"a message to a person is in their direct room: {said}")
    claim(any(one["_id"] == room["_id"] for one in chat.dm_list()), "dm.list")
    claim(any(one["username"] == peer for one in chat.dm_members(room["_id"])), "dm.members")


def groups(chat, peer_id):
    group = chat.groups_create("a-private-group")["group"]["_id"]
    chat.groups_invite(group, peer_id)
    claim(len(list(chat.groups_members(room_id=group))) == 2, "an invited member")
    chat.groups_kick(group, peer_id)
    chat.groups_rename(group, "a-renamed-group")
    claim(chat.groups_info(room_id=group)["group"]["name"] == "a-renamed-group", "groups.rename")
    invite = chat.find_or_create_invite(group, 1, 5)
    claim(chat.validate_invite_token(invite["_id"])["valid"], "an invite link is valid")
    claim(any(one["_id"] == group for one in chat.groups_list()), "groups.list")
    chat.groups_archive(group)
    with refusal("taking a room out of the archive needs an administrator"):
        chat.groups_unarchive(group)
    chat.groups_delete(room_id=group)
    with refusal("a deleted group"):
        chat.groups_info(room_id=group)


def sessions(chat):
    try:
        RocketChat("nobody-of-that-name", "wrong", server_url=chat.server_url)
    except RocketAuthenticationException:
        pass
    else:
        claim(False, "a wrong password is let in")
    claim(chat.logout()["status"] == "success", "logout")
    with refusal("a token after its logout"):
        chat.me()


def administer(chat, rid, name, peer):
    """What needs the role admin."""
    claim(chat.info()["info"]["version"], "info tells an administrator more")
    claim(any(one["_id"] == rid for one in chat.rooms_admin_rooms()), "rooms.adminRooms")
    claim(chat.rooms_info(room_name=name)["room"]["_id"] == rid, "rooms.info by name")
    user = chat.users_create("pia@example.org", "Pia", "pia's own secret", "pia", verified=True)["user"]
    claim(user["username"] == "pia", "users.create")
    chat.users_update(user["_id"], name="Pia Two")
    claim(chat.users_info(user_id=user["_id"])["user"]["name"] == "Pia Two", "users.update")
    claim(any(one["username"] == peer for one in chat.users_list(count=2)), "users.list, page by page")
    chat.users_set_active_status(user["_id"], False)
    try:
        RocketChat("pia", "pia's own secret", server_url=chat.server_url)
    except RocketAuthenticationException:
        pass
    else:
        claim(False, "a deactivated user is let in")
    chat.users_delete(user["_id"])
    with refusal("a deleted user"):
        chat.users_info(user_id=user["_id"])
    claim(any(one["_id"] == "Site_Name" for one in chat.settings()), "settings")
    chat.settings_update("Site_Name", "The journey's own")
    claim(chat.settings_get("Site_Name")["value"] == "The journey's own", "a setting is kept")
    claim("wizard" in chat.statistics(), "statistics")
    upkeep(chat, rid, peer)
    api_admin.day(chat)
    return "rocketchat_API as administrator"


def upkeep(chat, rid, peer):
    """Roles, reports, banners and pictures, as the library calls them."""
    with refusal("a role of one's own, in the mode for tests", "error-action-not-allowed"):
        chat.roles_create(name="journey")
    peer_id = chat.users_info(username=peer)["user"]["_id"]
    chat.moderation_report_user(peer_id, "only a try")
    reports = chat.moderation_user_reports()
    claim(any(one["reportedUser"]["username"] == peer for one in reports), "moderation.userReports")
    chat.moderation_dismiss_user_reports(peer_id)
    claim(chat.banners(platform="web")["banners"] == [], "banners")
    claim("activeModules" in chat.licenses_info()["license"], "licenses.info")
    with refusal("an asset without a name"):
        chat.assets_unset_asset("no-such-asset")
