-- What goes to the machine instead of a job's file, where the file is a drawing that was converted.

CREATE TABLE job_programs (
    job         INTEGER PRIMARY KEY REFERENCES jobs (seq) ON DELETE CASCADE,
    content     BLOB,
    file_sha256 TEXT,                             -- a large one, in files/
    file_bytes  INTEGER,
    CHECK ((content IS NULL) <> (file_sha256 IS NULL)),
    CHECK ((file_sha256 IS NULL) = (file_bytes IS NULL))
) STRICT;
CREATE INDEX job_programs_by_file ON job_programs (file_sha256) WHERE file_sha256 IS NOT NULL;

-- The program that a recurring job's file was converted to, in files/.
ALTER TABLE schedules ADD COLUMN program_sha256 TEXT;
CREATE INDEX schedules_by_program ON schedules (program_sha256) WHERE program_sha256 IS NOT NULL;
