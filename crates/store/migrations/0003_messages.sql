-- Messages and what hangs on them. A message's key is (its room's key << 36 | its seq): one integer clusters by room
-- and order, so history is a range of keys, and a full-text index can use it as its row number.

-- The one row that every change of a room's timeline writes. `last_key` is the newest message shown in the room,
-- `last_seq`/`last_author` the newest countable one, `last_seq_by_another` the newest one by anybody else.
CREATE TABLE room_heads (
    room BIGINT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL DEFAULT 0,
    counted BIGINT NOT NULL DEFAULT 0,
    messages BIGINT NOT NULL DEFAULT 0,
    changed_at BIGINT NOT NULL DEFAULT 0,
    last_at BIGINT,
    last_key BIGINT,
    last_seq BIGINT NOT NULL DEFAULT 0,
    last_author BIGINT,
    last_seq_by_another BIGINT NOT NULL DEFAULT 0
-- sqlite:
) WITHOUT ROWID;
-- postgres:
) WITH (fillfactor = 50);
-- both:

-- `rev` and `updated` are NULL until the first change (they equal seq and `at`): the index below holds changed ones only.
-- `thread` is the root's key. `flags` is a set of bits (rows/messages.rs). `extra` is JSON of all that is rare, NULL for
-- a plain message. Names of author and room are joined, never stored.
CREATE TABLE messages (
-- sqlite:
    key INTEGER NOT NULL PRIMARY KEY,
-- postgres:
    key BIGINT NOT NULL PRIMARY KEY,
-- both:
    id TEXT NOT NULL UNIQUE,
    rev BIGINT,
    counted BIGINT NOT NULL,
    author BIGINT NOT NULL,
    at BIGINT NOT NULL,
    updated BIGINT,
    thread BIGINT,
    flags BIGINT NOT NULL DEFAULT 0,
    text TEXT NOT NULL,
    extra TEXT
);
CREATE INDEX messages_changed ON messages ((key >> 36), rev) WHERE rev IS NOT NULL;
CREATE INDEX messages_thread ON messages (thread, key) WHERE thread IS NOT NULL;
CREATE INDEX messages_pinned ON messages (key) WHERE (flags & 16) <> 0;
CREATE INDEX messages_discussions ON messages (key) WHERE (flags & 1024) <> 0;

-- Removed messages: their places, for clients that catch up, for unread numbers (`counts`), and so that an id is never
-- used twice.
CREATE TABLE tombstones (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    rev BIGINT NOT NULL,
    at BIGINT NOT NULL,
    author BIGINT NOT NULL,
    thread BIGINT,
    counts BIGINT NOT NULL
-- sqlite:
) WITHOUT ROWID;
-- postgres:
);
-- both:
CREATE INDEX tombstones_rev ON tombstones ((key >> 36), rev);

-- What messages were before an edit or deletion, when history is kept.
CREATE TABLE message_versions (
    key BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    at BIGINT NOT NULL,
    text TEXT NOT NULL,
    extra TEXT,
    PRIMARY KEY (key, rev)
-- sqlite:
) WITHOUT ROWID;
-- postgres:
);
-- both:

-- Whom a message addresses; whom = 0 is one row for everybody. `thread` is the root's key for replies that are not
-- shown in the room.
CREATE TABLE mentions (
    whom BIGINT NOT NULL,
    key BIGINT NOT NULL,
    thread BIGINT,
    PRIMARY KEY (whom, key)
-- sqlite:
) WITHOUT ROWID;
-- postgres:
);
-- both:
CREATE INDEX mentions_key ON mentions (key);

-- Stars, each for one user.
CREATE TABLE stars (
    whom BIGINT NOT NULL,
    key BIGINT NOT NULL,
    PRIMARY KEY (whom, key)
-- sqlite:
) WITHOUT ROWID;
-- postgres:
);
-- both:
CREATE INDEX stars_key ON stars (key);

-- Threads by their root's key, and who follows them with the mark up to which they read. `last_key` is the last reply.
CREATE TABLE threads (
    root BIGINT NOT NULL PRIMARY KEY,
    replies BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    last_key BIGINT NOT NULL
-- sqlite:
) WITHOUT ROWID;
-- postgres:
);
-- both:
CREATE INDEX threads_last ON threads (last_key);
CREATE TABLE thread_follows (
    whom BIGINT NOT NULL,
    root BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT,
    since BIGINT NOT NULL,
    PRIMARY KEY (whom, root)
-- sqlite:
) WITHOUT ROWID;
-- postgres:
);
-- both:
CREATE INDEX thread_follows_root ON thread_follows (root, since);

-- Stored files. `message` is the key of the message that shows it; `room` is NULL for avatars, emoji, sounds, assets.
CREATE TABLE uploads (
    id TEXT NOT NULL PRIMARY KEY,
    room BIGINT,
    author BIGINT NOT NULL,
    message BIGINT,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 {bytes} NOT NULL,
    original TEXT,
    width BIGINT,
    height BIGINT,
    preview TEXT,
    at BIGINT NOT NULL,
    expires BIGINT
);
CREATE INDEX uploads_message ON uploads (message) WHERE message IS NOT NULL;
CREATE INDEX uploads_original ON uploads (original) WHERE original IS NOT NULL;
CREATE INDEX uploads_expiry ON uploads (expires) WHERE expires IS NOT NULL;

-- What people reported to the moderators. `message` is NULL for reports of users; texts are kept as they were.
CREATE TABLE reports (
    id TEXT NOT NULL PRIMARY KEY,
    message BIGINT,
    message_id TEXT,
    room BIGINT,
    reported BIGINT NOT NULL,
    reporter BIGINT NOT NULL,
    text TEXT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL,
    hidden BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX reports_reported ON reports (reported, at);
CREATE INDEX reports_message ON reports (message) WHERE message IS NOT NULL;
