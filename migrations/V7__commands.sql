-- What a command job's program runs in, and the last word it said on how far it is.

ALTER TABLE jobs ADD COLUMN surroundings TEXT;    -- JSON object: env, cwd, limits, stop_timeout_seconds
ALTER TABLE jobs ADD COLUMN message TEXT;
