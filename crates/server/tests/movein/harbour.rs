//! An invented workspace: the people of a harbour, as a Rocket.Chat keeps them.

use bson::{Binary, Bson, DateTime, Document, doc, spec::BinarySubtype};

use crate::dump::Dump;

/// Tove's password.
pub const PASSWORD: &str = "lighthouse keeper 7";
/// Tove's personal access token.
pub const TOKEN: &str = "wQ8c2mYJmPqUu5sWb0x1y2z3A4B5C6D7E8F9G0H1i2j";
/// The bytes of the chart that Milo sent.
pub fn chart() -> Vec<u8> {
    (0..400_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// Minutes after ten o'clock on a day in 2021.
pub fn at(minutes: i64) -> Bson {
    Bson::DateTime(DateTime::from_millis(1_614_592_800_000 + minutes * 60_000))
}

fn sha256(text: &str) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(text.as_bytes()).into()
}

/// [`PASSWORD`] as Rocket.Chat keeps it.
pub fn hash() -> String {
    bcrypt::hash(hex(&sha256(PASSWORD)), 4).expect("hashed")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn user(id: &str, username: &str, name: &str) -> Document {
    doc! {"_id": id, "username": username, "name": name, "type": "user", "active": true, "roles": ["user"],
    "createdAt": at(-9_000), "_updatedAt": at(-1), "emails": [{"address": format!("{username}@harbour.example"), "verified": true}],
    "statusDefault": "online", "utcOffset": 1}
}

fn by(id: &str, username: &str) -> Document {
    doc! {"_id": id, "username": username, "name": username}
}

fn message(id: &str, room: &str, who: (&str, &str), minute: i64, text: &str) -> Document {
    doc! {"_id": id, "rid": room, "msg": text, "ts": at(minute), "u": by(who.0, who.1), "_updatedAt": at(minute),
    "urls": [], "mentions": [], "channels": []}
}

fn with(mut document: Document, more: Document) -> Document {
    document.extend(more);
    document
}

const TOVE: (&str, &str) = ("toveToveToveTove1", "tove");
const MILO: (&str, &str) = ("miloMiloMiloMilo2", "milo");
const GONE: (&str, &str) = ("goneGoneGoneGone4", "old.sailor");
const QUAY: &str = "quayQuayQuayQuay1";
const CREW: &str = "crewCrewCrewCrew2";
const PAIR: &str = "miloMiloMiloMilo2toveToveToveTove1";

/// The whole workspace.
pub fn workspace() -> Dump {
    let mut all = Dump::default();
    people(&mut all);
    rooms(&mut all);
    messages(&mut all);
    files(&mut all);
    rest(&mut all);
    all
}

fn people(all: &mut Dump) {
    let hash = hash();
    let token = base64(&sha256(TOKEN));
    let tove = with(
        user(TOVE.0, TOVE.1, "Tove Lind"),
        doc! {"roles": ["admin", "user", "harbourMaster1"], "bio": "Keeps the light", "services": {
            "password": {"bcrypt": hash},
            "resume": {"loginTokens": [
                {"hashedToken": base64(&sha256("a session")), "when": at(-5)},
                {"hashedToken": token, "type": "personalAccessToken", "name": "tide bot", "createdAt": at(-50),
                    "lastTokenPart": "1i2j3k", "bypassTwoFactor": true},
            ]},
        }},
    );
    all.put(
        "users",
        [
            tove,
            user(MILO.0, MILO.1, "Milo Berg"),
            with(user("inesInesInesInes3", "ines", "Inês"), doc! {"active": false}),
            doc! {"_id": "rocket.cat", "username": "rocket.cat", "type": "bot", "roles": ["bot"]},
            doc! {"_id": "halfHalfHalfHalf5", "type": "user"},
        ],
    );
    all.put("rocketchat_roles", [
        doc! {"_id": "admin", "name": "admin", "scope": "Users", "protected": true},
        doc! {"_id": "harbourMaster1", "name": "harbour-master", "scope": "Users", "description": "Opens the locks"},
    ]);
    all.put(
        "rocketchat_permissions",
        [
            doc! {"_id": "create-c", "roles": ["admin", "harbourMaster1"]},
            doc! {"_id": "no-such-permission", "roles": ["admin"]},
        ],
    );
}

fn rooms(all: &mut Dump) {
    all.put("rocketchat_room", [
        doc! {"_id": QUAY, "t": "c", "name": "quay", "fname": "Quay", "topic": "tides", "u": by(TOVE.0, TOVE.1),
        "ts": at(-8_000), "msgs": 9, "usersCount": 2, "sysMes": ["ul"], "muted": ["milo"]},
        doc! {"_id": CREW, "t": "p", "name": "crew", "u": by(TOVE.0, TOVE.1), "ts": at(-7_000), "prid": QUAY},
        doc! {"_id": PAIR, "t": "d", "uids": [MILO.0, TOVE.0], "usernames": ["milo", "tove"], "ts": at(-6_000)},
        doc! {"_id": "liveLiveLiveLive9", "t": "l", "ts": at(0)},
    ]);
    let member = |id: &str, room: &str, who: (&str, &str), seen: i64, more: Document| {
        with(
            doc! {"_id": id, "rid": room, "u": by(who.0, who.1), "ts": at(-5_000), "ls": at(seen), "open": true,
            "t": "c", "name": "x", "alert": false, "unread": 0},
            more,
        )
    };
    all.put(
        "rocketchat_subscription",
        [
            member(
                "sub1",
                QUAY,
                TOVE,
                3,
                doc! {"roles": ["owner"], "f": true, "alert": true, "unread": 4, "autoTranslate": true,
                "autoTranslateLanguage": "da"},
            ),
            member("sub2", QUAY, MILO, 100, doc! {"desktopNotifications": "nothing"}),
            member("sub3", CREW, TOVE, 100, doc! {"roles": ["owner"]}),
            member("sub4", PAIR, TOVE, 100, doc! {}),
            member("sub5", PAIR, MILO, 100, doc! {}),
            member("sub6", "no such room", MILO, 100, doc! {}),
        ],
    );
}

fn messages(all: &mut Dump) {
    // Not in order: a dump has none.
    let root = with(
        message("mRoot", QUAY, TOVE, 2, "Who takes the night watch?"),
        doc! {"tcount": 2, "tlm": at(5), "replies": [TOVE.0, MILO.0]},
    );
    all.put("rocketchat_message", [
        with(message("mReply2", QUAY, TOVE, 5, "Thank you"), doc! {"tmid": "mRoot"}),
        with(message("mReply1", QUAY, MILO, 4, "I do"), doc! {"tmid": "mRoot", "tshow": true}),
        root,
        with(
            message("mFirst", QUAY, MILO, 1, "The herring came at dawn"),
            doc! {"reactions": {":fish:": {"usernames": ["tove", "nobody"]}}, "pinned": true, "pinnedAt": at(6),
            "pinnedBy": by(TOVE.0, TOVE.1), "starred": [{"_id": TOVE.0}]},
        ),
        with(
            message("mEdited", QUAY, TOVE, 7, "@milo see #quay"),
            doc! {"editedAt": at(8), "editedBy": by(TOVE.0, TOVE.1),
            "mentions": [{"_id": MILO.0, "username": "milo", "name": "Milo Berg", "type": "user"}],
            "channels": [{"_id": QUAY, "name": "quay"}]},
        ),
        with(
            message("mQuote", QUAY, MILO, 9, "indeed"),
            doc! {"attachments": [{"message_link": format!("https://old.example/channel/quay?msg=mFirst"),
            "author_name": "milo", "text": "The herring came at dawn", "ts": at(1)}]},
        ),
        with(message("mJoined", QUAY, MILO, 0, "milo"), doc! {"t": "uj"}),
        with(message("mRemoved", QUAY, MILO, 10, ""), doc! {"t": "rm"}),
        message("mGone", QUAY, GONE, 11, "farewell"),
        with(message("mHistory", QUAY, TOVE, 7, "@milo sea"), doc! {"_hidden": true, "parent": "mEdited"}),
        with(
            message("mFile", CREW, MILO, 1, ""),
            doc! {"file": {"_id": "chartChartChart01", "name": "chart.bin", "type": "application/octet-stream"},
            "files": [{"_id": "chartChartChart01", "name": "chart.bin"}],
            "attachments": [{"type": "file", "title": "chart.bin", "description": "The new chart",
                "title_link": "/file-upload/chartChartChart01/chart.bin", "title_link_download": true}]},
        ),
        message("mPair", PAIR, TOVE, 1, "Coffee?"),
        message("mNowhere", "no such room", TOVE, 1, "lost"),
    ]);
}

fn files(all: &mut Dump) {
    let bytes = chart();
    all.put("rocketchat_uploads", [
        doc! {"_id": "chartChartChart01", "name": "chart.bin", "size": bytes.len() as i64, "rid": CREW, "userId": MILO.0,
        "store": "GridFS:Uploads", "complete": true, "uploadedAt": at(1), "type": "application/octet-stream"},
        doc! {"_id": "tideTideTideTide2", "name": "tide.txt", "rid": CREW, "userId": TOVE.0, "extension": "txt",
        "store": "FileSystem:Uploads", "complete": true, "uploadedAt": at(2)},
        doc! {"_id": "faraFaraFaraFara3", "name": "far.txt", "rid": CREW, "userId": TOVE.0,
        "store": "AmazonS3:Uploads", "complete": true},
    ]);
    all.put("rocketchat_uploads.files", [
        doc! {"_id": "chartChartChart01", "length": bytes.len() as i64, "chunkSize": 261_120, "filename": "chart.bin"},
    ]);
    let pieces: Vec<Document> = bytes
        .chunks(261_120)
        .enumerate()
        .map(|(n, piece)| {
            let data = Binary { subtype: BinarySubtype::Generic, bytes: piece.to_vec() };
            doc! {"_id": bson::oid::ObjectId::new(), "files_id": "chartChartChart01", "n": n as i32, "data": data}
        })
        .collect();
    // Not in order either.
    all.put("rocketchat_uploads.chunks", pieces.into_iter().rev());
}

fn rest(all: &mut Dump) {
    all.put(
        "rocketchat_settings",
        [
            doc! {"_id": "Site_Name", "value": "The Harbour", "packageValue": "Rocket.Chat"},
            doc! {"_id": "Message_AllowEditing", "value": true, "packageValue": true},
            doc! {"_id": "Cloud_Workspace_Access_Token", "value": "secret", "packageValue": ""},
            doc! {"_id": "Message_MaxAllowedSize", "value": "many", "packageValue": 5000},
        ],
    );
    all.put("rocketchat_integrations", [
        doc! {"_id": "hookHookHookHook1", "type": "webhook-incoming", "name": "Tides", "enabled": true, "username": "tove",
        "userId": TOVE.0, "channel": ["#quay"], "token": "tokenTokenToken7", "_createdAt": at(0)},
    ]);
    all.put("rocketchat_sessions", [doc! {"_id": "nobody wants it"}]);
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for piece in bytes.chunks(3) {
        let number = (0..3).fold(0_u32, |n, i| n << 8 | u32::from(piece.get(i).copied().unwrap_or_default()));
        for place in 0..4 {
            let digit =
                if place <= piece.len() { DIGITS[(number >> (18 - 6 * place)) as usize & 63] } else { b'=' };
            text.push(char::from(digit));
        }
    }
    text
}
