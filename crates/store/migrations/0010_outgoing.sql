-- What goes out beside the calls of integrations: mail and pushes, and what they need to know.

-- Each way (0 calls of integrations, 1 mail, 2 pushes) has its own line of waiting ones.
ALTER TABLE deliveries ADD COLUMN way BIGINT NOT NULL DEFAULT 0;
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (way, due_at) WHERE state = 0;

-- Browsers are devices of kind `web`: the value is the subscription's address, `keys` are its two keys.
ALTER TABLE push_tokens ADD COLUMN keys TEXT NOT NULL DEFAULT '';

-- Rooms in which a device shows something that was not read yet.
CREATE TABLE pushes_shown (
    device TEXT NOT NULL,
    room TEXT NOT NULL,
    PRIMARY KEY (device, room)
);

-- Who wants to hear of all that is written in a room: the list that a message looks at, whatever the room's size.
CREATE INDEX memberships_keen ON memberships (room) WHERE desktop = 'all' OR mobile = 'all' OR email = 'all';

-- Words that people want to hear of, by their first word in lower case.
CREATE TABLE highlights (
    word TEXT NOT NULL,
    whom BIGINT NOT NULL,
    phrase TEXT NOT NULL,
    PRIMARY KEY (word, whom, phrase)
);
CREATE INDEX highlights_whom ON highlights (whom);

-- Links and codes that were sent by mail, as hashes; each is good once. `whom` is the user's id, `address` the one that it
-- was sent to.
CREATE TABLE mail_links (
    hash TEXT NOT NULL PRIMARY KEY,
    purpose BIGINT NOT NULL,
    whom TEXT NOT NULL,
    address TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX mail_links_whom ON mail_links (whom, purpose);
CREATE INDEX mail_links_expiry ON mail_links (expires_at);
