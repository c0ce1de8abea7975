-- Calls of outgoing integrations: waiting ones by when they are due, ended ones as a log.

CREATE TABLE deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    integration TEXT NOT NULL,
    event TEXT NOT NULL,
    room TEXT,
    url TEXT NOT NULL,
    body TEXT NOT NULL,
    state BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    status BIGINT,
    problem TEXT NOT NULL,
    answer TEXT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 0;
CREATE INDEX deliveries_log ON deliveries (integration, created_at);
