-- Groups, unique keys, versions, how a command is tried again, what a job's file takes.
ALTER TABLE jobs ADD COLUMN version INTEGER NOT NULL DEFAULT 1;  -- counts every change, for If-Match
ALTER TABLE jobs ADD COLUMN job_group TEXT;
ALTER TABLE jobs ADD COLUMN unique_key TEXT;
ALTER TABLE jobs ADD COLUMN retry TEXT;                          -- JSON object
ALTER TABLE jobs ADD COLUMN schedule TEXT;                       -- the name of the schedule it comes from
ALTER TABLE jobs ADD COLUMN stored_bytes INTEGER;                -- of its file, while it is kept

UPDATE jobs SET stored_bytes = coalesce(file_bytes,
    (SELECT length(content) FROM job_files WHERE job = seq)) WHERE kind = 'device';

-- A unique key is free again once its job has ended.
CREATE UNIQUE INDEX jobs_by_unique_key ON jobs (unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('HELD', 'QUEUED', 'RUNNING', 'PAUSED', 'INTERRUPTED');
CREATE INDEX jobs_of_schedule ON jobs (schedule, seq) WHERE schedule IS NOT NULL;
CREATE INDEX jobs_waiting ON jobs (priority DESC, rank, seq) WHERE state IN ('HELD', 'QUEUED');
-- What a job waits for has changed: it is judged before the next claim.
CREATE INDEX jobs_unjudged ON jobs (seq) WHERE state = 'QUEUED' AND look_at = -1;
-- Whose file goes first when room is needed.
CREATE INDEX jobs_stored ON jobs (finished_at) WHERE stored_bytes IS NOT NULL AND finished_at IS NOT NULL;

-- Bytes of all job files together.
CREATE TABLE storage (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    bytes INTEGER NOT NULL
) STRICT;
INSERT INTO storage SELECT 1,
    (SELECT coalesce(sum(length(content)), 0) FROM job_files)
    + (SELECT coalesce(sum(bytes), 0) FROM (SELECT max(file_bytes) AS bytes FROM jobs
        WHERE file_sha256 IS NOT NULL GROUP BY file_sha256));

-- Which end of the needed job is waited for.
ALTER TABLE dependencies ADD COLUMN outcome TEXT NOT NULL DEFAULT 'completed';

-- Several jobs submitted as one. Their numbers follow each other.
CREATE TABLE submissions (
    key         TEXT    PRIMARY KEY,              -- the Idempotency-Key
    first       INTEGER NOT NULL,                 -- seq of the first job
    jobs        INTEGER NOT NULL,
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),  -- SHA-256 of what was asked for
    at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX submissions_by_time ON submissions (at);

-- Parts of the queue that are paused or drained: '' is all of it, else the name of a device.
CREATE TABLE queue_modes (
    scope TEXT    PRIMARY KEY,
    mode  TEXT    NOT NULL CHECK (mode IN ('paused', 'draining', 'drained')),
    since INTEGER NOT NULL,
    actor TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Jobs that come again and again.
CREATE TABLE schedules (
    id          BLOB    PRIMARY KEY CHECK (length(id) = 16),
    name        TEXT    NOT NULL UNIQUE,
    cron        TEXT    NOT NULL,
    missed      TEXT    NOT NULL CHECK (missed IN ('skip', 'run_once', 'run_all')),
    overlap     INTEGER NOT NULL,                 -- true: a run starts though the one before has not ended
    paused      INTEGER NOT NULL,
    job         TEXT    NOT NULL,                 -- JSON: the job to submit
    file_sha256 TEXT,                             -- its file, in files/
    next_at     INTEGER,                          -- when it is due; NULL while paused or if never
    last_at     INTEGER,                          -- when it was last due
    last_job    BLOB,
    note        TEXT,                             -- what came of it when it was last due
    created_by  TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX schedules_by_file ON schedules (file_sha256) WHERE file_sha256 IS NOT NULL;
