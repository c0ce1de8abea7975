-- Support cases and tickets: what makes a room one of them. They go with their room.

-- A case. Its participants are the room's members; `first_seq` is the place of the message that opened it.
CREATE TABLE cases (
    room BIGINT NOT NULL PRIMARY KEY,
    requester TEXT,
    requester_role TEXT,
    queue BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    first_seq BIGINT NOT NULL,
    waiting_since BIGINT NOT NULL,
    closed_at BIGINT,
    closed_by TEXT
);
CREATE INDEX cases_waiting ON cases (waiting_since, room) WHERE closed_at IS NULL;
CREATE INDEX cases_requester ON cases (requester, room) WHERE closed_at IS NULL;

-- A ticket, by the host application's id. The people are ids that need not be known here.
CREATE TABLE tickets (
    room BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    title TEXT,
    created_by TEXT NOT NULL,
    vendor TEXT,
    category TEXT,
    category_key TEXT,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX tickets_vendor ON tickets (vendor) WHERE vendor IS NOT NULL;
CREATE INDEX tickets_category ON tickets (category_key) WHERE category_key IS NOT NULL;

-- part: 0 opened it, 1 works on it, 2 verified it; `place` keeps the order given.
CREATE TABLE ticket_people (
    room BIGINT NOT NULL,
    part BIGINT NOT NULL,
    person TEXT NOT NULL,
    place BIGINT NOT NULL,
    PRIMARY KEY (room, part, person)
);
CREATE INDEX ticket_people_person ON ticket_people (person, part);
