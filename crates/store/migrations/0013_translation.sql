-- Into which language a member wants a room's messages: + on, - off, nothing decided, then the language.
ALTER TABLE memberships ADD COLUMN translation TEXT;
