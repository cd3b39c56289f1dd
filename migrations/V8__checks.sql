-- For a list of more than two SQLite builds a table whenever a statement writes a job, which cost a
-- fifth of a submission. The check means what it meant: nothing that is stored changes.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(replace(sql,
    'state IN (''HELD'', ''QUEUED'', ''RUNNING'', ''PAUSED'',',
    'state = ''HELD'' OR state = ''QUEUED'' OR state = ''RUNNING'' OR state = ''PAUSED'' OR'),
    '''COMPLETED'', ''FAILED'', ''CANCELLED'', ''INTERRUPTED'')',
    'state = ''COMPLETED'' OR state = ''FAILED'' OR state = ''CANCELLED'' OR state = ''INTERRUPTED''')
WHERE type = 'table' AND name = 'jobs';
PRAGMA writable_schema = RESET;
