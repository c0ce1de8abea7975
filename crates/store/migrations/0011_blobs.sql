-- Bytes are stored once, however many uploads have them. Rows of before know no checksum that holds: they stay single.

CREATE TABLE blobs (
    id TEXT NOT NULL PRIMARY KEY,
    sha256 {bytes},
    size BIGINT NOT NULL,
    refs BIGINT NOT NULL
);
CREATE UNIQUE INDEX blobs_sha256 ON blobs (sha256);
ALTER TABLE uploads ADD COLUMN blob TEXT;
UPDATE uploads SET blob = id;
INSERT INTO blobs (id, sha256, size, refs) SELECT id, NULL, size, 1 FROM uploads;

-- Bytes of files by their owner (a user's key), and of the whole workspace (-1): what quotas are judged by.
CREATE TABLE upload_totals (
    owner BIGINT NOT NULL PRIMARY KEY,
    bytes BIGINT NOT NULL,
    files BIGINT NOT NULL
);
INSERT INTO upload_totals (owner, bytes, files)
    SELECT author, CAST(SUM(size) AS BIGINT), COUNT(*) FROM uploads WHERE role = 'file' GROUP BY author;
INSERT INTO upload_totals (owner, bytes, files)
    SELECT -1, CAST(COALESCE(SUM(size), 0) AS BIGINT), COUNT(*) FROM uploads WHERE role = 'file';
