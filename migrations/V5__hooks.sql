-- What was done, is being done and is to be done because something happened.

CREATE TABLE hook_runs (
    seq         INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,          -- a UUID; the receiver knows a repetition by it
    event_seq   INTEGER,                          -- null for a test
    event       TEXT    NOT NULL,                 -- as COMPLETED or device:idle
    resource    TEXT    NOT NULL,                 -- runs of one resource follow each other
    hook        TEXT    NOT NULL,                 -- where it is configured, as COMPLETED[0]
    hook_key    TEXT    NOT NULL,                 -- what it does: the same wherever it is configured
    kind        TEXT    NOT NULL,
    payload     TEXT    NOT NULL,                 -- what it is told, a JSON object
    state       TEXT    NOT NULL CHECK (state IN
                ('WAITING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'SKIPPED')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    deferred    INTEGER NOT NULL DEFAULT 0,       -- it has failed and is to be tried again
    next_at     INTEGER NOT NULL,                 -- not before
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,                          -- of the last attempt
    finished_at INTEGER,
    code        INTEGER,                          -- exit code or HTTP status
    error       TEXT,
    output      TEXT,
    output_lost INTEGER NOT NULL DEFAULT 0,       -- bytes beyond what is kept
    -- No event makes a hook run twice.
    UNIQUE (event_seq, hook_key)
) STRICT;
CREATE INDEX hook_runs_open ON hook_runs (resource, seq) WHERE finished_at IS NULL;
CREATE INDEX hook_runs_next ON hook_runs (next_at) WHERE finished_at IS NULL;
CREATE INDEX hook_runs_by_hook ON hook_runs (hook_key, seq);

-- From here on events are hooks' business.
INSERT INTO settings (key, value)
    SELECT 'hooks.cursor', CAST(coalesce(max(seq), 0) AS TEXT) FROM events;
