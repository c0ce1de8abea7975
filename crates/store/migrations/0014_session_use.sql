-- When a device was last used, to a few minutes; NULL until it was used some minutes after its login.

ALTER TABLE sessions ADD COLUMN used_at BIGINT;
