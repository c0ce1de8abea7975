-- The journal: what changed, in commit order, whatever it belongs to. It feeds resume, search, outbound and relay by
-- durable cursors, and is kept 30 days; the newest row always stays, so that numbers never start again.

-- `g` is the writer's counter on SQLite; on PostgreSQL it is the transaction's number and the place in it, so that all
-- below the oldest running transaction is final. `kind` and `object` are those of rows/journal.rs; `room` and `position`
-- are its place in a room's timeline, `whom` the id of the user it concerns alone.
CREATE TABLE journal (
-- sqlite:
    g INTEGER NOT NULL PRIMARY KEY,
-- postgres:
    g BIGINT NOT NULL PRIMARY KEY,
-- both:
    at BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    room BIGINT,
    position BIGINT,
    object TEXT,
    whom TEXT
);

-- How far each reader of the journal got.
CREATE TABLE journal_cursors (
    name TEXT NOT NULL PRIMARY KEY,
    g BIGINT NOT NULL
);

-- postgres:
-- Added to every number: larger than zero after a restore into a server whose transactions count from lower.
CREATE TABLE journal_base (
    base BIGINT NOT NULL
);
INSERT INTO journal_base (base) VALUES (0);
-- both:
