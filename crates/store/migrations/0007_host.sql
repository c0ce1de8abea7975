-- What host applications say of users, and what stays of removed messages.

-- `host` is JSON of what a host application's word gave (rows/users_host.rs); NULL for accounts of our own.
ALTER TABLE users ADD COLUMN host TEXT;

-- When a removed message was made, its flags, and JSON of what stays of it; NULL for those removed before.
ALTER TABLE tombstones ADD COLUMN made BIGINT;
ALTER TABLE tombstones ADD COLUMN flags BIGINT;
ALTER TABLE tombstones ADD COLUMN extra TEXT;

-- Notices are few: what a room shows to host applications is counted without them. 4 is their bit, 2048 the host's own.
CREATE INDEX messages_notices ON messages (key) WHERE (flags & 4) <> 0 AND (flags & 2048) = 0;
