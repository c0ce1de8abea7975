-- Several processes on one database: what a row of the journal does not tell by itself, for the other processes. Empty
-- where only one serves.

ALTER TABLE journal ADD COLUMN detail TEXT;
