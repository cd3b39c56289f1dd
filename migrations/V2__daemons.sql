-- What is remembered of daemons from one run of the station to the next.

CREATE TABLE daemons (
    name     TEXT    PRIMARY KEY,                 -- as configured
    restarts INTEGER NOT NULL                     -- over all runs
) STRICT, WITHOUT ROWID;
