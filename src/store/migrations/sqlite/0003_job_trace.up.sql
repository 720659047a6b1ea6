-- What the attempts of jobs did: one row per attempt, written with the end of the attempt.
CREATE TABLE job_trace (
    id         INTEGER PRIMARY KEY,
    job_id     INTEGER NOT NULL CONSTRAINT job_trace_job_id_fkey REFERENCES jobs (id) ON DELETE CASCADE,
    attempt    INTEGER NOT NULL,
    started_at TEXT    NOT NULL,
    ended_at   TEXT    NOT NULL,
    outcome    TEXT    NOT NULL CONSTRAINT job_trace_outcome_is_known CHECK (outcome IN ('done', 'retry', 'dead', 'lost')),
    -- what the job said at the end: its outcome or its error
    said       TEXT    NOT NULL,
    -- the calls of GitHub's API, a JSON array, oldest first
    calls      TEXT    NOT NULL,
    -- how many more there were than are kept
    more_calls INTEGER NOT NULL
) STRICT;
CREATE INDEX job_trace_by_job ON job_trace (job_id, id);
