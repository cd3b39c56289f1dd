-- Times are milliseconds since 1970-01-01 UTC. Ids of jobs are the 16 bytes of a UUIDv7.

CREATE TABLE jobs (
    seq             INTEGER PRIMARY KEY,          -- order of submission
    id              BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    name            TEXT    NOT NULL,
    kind            TEXT    NOT NULL CHECK (kind IN ('device', 'command')),
    state           TEXT    NOT NULL CHECK (state IN ('HELD', 'QUEUED', 'RUNNING', 'PAUSED',
                                            'COMPLETED', 'FAILED', 'CANCELLED', 'INTERRUPTED')),
    priority        INTEGER NOT NULL,
    rank            REAL    NOT NULL,             -- order among equal priorities, at first the seq
    target          TEXT    NOT NULL,             -- what may claim it, as asked: command, any, device:NAME, driver:NAME
    look_at         INTEGER,                      -- when a claim looks at it: 0 now, a time, or NULL until a dependency ends
    device          TEXT,
    driver          TEXT,
    command         TEXT,                         -- JSON array of strings
    file_sha256     TEXT,                         -- a large file, in files/
    file_bytes      INTEGER,
    lines_total     INTEGER,
    lines_done      INTEGER NOT NULL DEFAULT 0,
    progress        REAL    NOT NULL DEFAULT 0,   -- 0 to 100
    eta_seconds     REAL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    max_attempts    INTEGER NOT NULL,
    not_before      INTEGER,
    depends_on      TEXT,                         -- JSON array of ids
    labels          TEXT,                         -- JSON object
    timeout_seconds REAL,
    submitted_by    TEXT    NOT NULL,
    idempotency_key TEXT,
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    finished_at     INTEGER,
    exit_code       INTEGER,
    error           TEXT,
    analysis        TEXT                          -- JSON object
) STRICT;

-- Each index holds only the rows it is for, so that finished jobs cost a claim nothing.
CREATE INDEX jobs_ready ON jobs (target, priority DESC, rank, seq) WHERE state = 'QUEUED' AND look_at = 0;
CREATE INDEX jobs_timed ON jobs (look_at) WHERE state = 'QUEUED' AND look_at > 0;
CREATE INDEX jobs_by_state ON jobs (state, seq);
CREATE INDEX jobs_by_device ON jobs (device, seq) WHERE device IS NOT NULL;
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_by_file ON jobs (file_sha256) WHERE file_sha256 IS NOT NULL;
CREATE UNIQUE INDEX jobs_by_key ON jobs (idempotency_key) WHERE idempotency_key IS NOT NULL;
-- A machine works on one job at a time.
CREATE UNIQUE INDEX jobs_on_device ON jobs (device)
    WHERE kind = 'device' AND state IN ('RUNNING', 'PAUSED') AND device IS NOT NULL;

CREATE TABLE job_files (
    job     INTEGER PRIMARY KEY REFERENCES jobs (seq) ON DELETE CASCADE,
    content BLOB NOT NULL
) STRICT;

-- Who waits for whom. A row leaves when the needed job is deleted after it was completed.
CREATE TABLE dependencies (
    needs BLOB    NOT NULL,
    job   INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    PRIMARY KEY (needs, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX dependencies_by_job ON dependencies (job);

CREATE TABLE job_counts (
    state TEXT PRIMARY KEY,
    jobs  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO job_counts VALUES ('HELD', 0), ('QUEUED', 0), ('RUNNING', 0), ('PAUSED', 0),
    ('COMPLETED', 0), ('FAILED', 0), ('CANCELLED', 0), ('INTERRUPTED', 0);

CREATE TABLE events (
    seq      INTEGER PRIMARY KEY,                 -- without gaps
    at       INTEGER NOT NULL,
    channel  TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    resource TEXT    NOT NULL,
    json     TEXT    NOT NULL                     -- exactly what subscribers get
) STRICT;
CREATE INDEX events_by_resource ON events (resource, seq);

CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY,                 -- from 1, without gaps
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    resource TEXT    NOT NULL,
    outcome  TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    hash     BLOB    NOT NULL CHECK (length(hash) = 32)  -- SHA-256 of the hash before and this record
) STRICT;

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
