-- The journal: what changed, in commit order, whatever it belongs to. Feeds resume, search, outbound and relay.
CREATE TABLE journal (
    g BIGINT NOT NULL PRIMARY KEY
);
