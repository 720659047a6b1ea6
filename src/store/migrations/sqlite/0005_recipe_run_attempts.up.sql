-- Where the commit of a run is, and the check run that tells of it.
ALTER TABLE recipe_runs ADD COLUMN repo_html_url TEXT;
ALTER TABLE recipe_runs ADD COLUMN feedstock_subdir TEXT;
ALTER TABLE recipe_runs ADD COLUMN installation_id INTEGER;
ALTER TABLE recipe_runs ADD COLUMN check_run_id INTEGER;

-- A run may be started several times (`/run` again, a retry): the row of the run shows the newest attempt.
CREATE TABLE recipe_run_attempts (
    recipe_run_id       INTEGER      NOT NULL CONSTRAINT recipe_run_attempts_run_fkey REFERENCES recipe_runs (id) ON DELETE CASCADE,
    number              INTEGER     NOT NULL,
    -- what asked for it, so that asking twice is asking once
    token               TEXT        NOT NULL CONSTRAINT recipe_run_attempts_token_key UNIQUE,
    requested_by        TEXT,
    -- the comment that asked for it, which gets the reactions
    comment_id          INTEGER,
    requested_at        TEXT NOT NULL,
    started_at          TEXT,
    ended_at            TEXT,
    cancel_requested_at TEXT,
    conclusion          TEXT        CONSTRAINT recipe_run_attempts_conclusion_is_known CHECK (conclusion IN (
        'action_required', 'cancelled', 'failure', 'neutral', 'success', 'skipped', 'stale', 'timed_out')),
    -- the name of the job at the bakery, by which a bakery may report
    job_name            TEXT        CONSTRAINT recipe_run_attempts_job_name_key UNIQUE,
    -- the bakery's own id of the job
    job_id              TEXT,
    -- why it failed: one line, and the whole trace, both without secrets
    reason              TEXT,
    trace               TEXT,
    CONSTRAINT recipe_run_attempts_pkey PRIMARY KEY (recipe_run_id, number),
    CONSTRAINT recipe_run_attempts_ended_is_concluded CHECK ((ended_at IS NULL) = (conclusion IS NULL))
) STRICT;
-- the guarantee: one attempt at a time
CREATE UNIQUE INDEX recipe_run_attempts_one_open ON recipe_run_attempts (recipe_run_id) WHERE ended_at IS NULL;

-- What the runner wrote, in pieces of whole lines, without secrets.
CREATE TABLE recipe_run_logs (
    recipe_run_id INTEGER      NOT NULL,
    attempt       INTEGER     NOT NULL,
    seq           INTEGER     NOT NULL,
    written_at    TEXT NOT NULL,
    content       TEXT        NOT NULL,
    CONSTRAINT recipe_run_logs_pkey PRIMARY KEY (recipe_run_id, attempt, seq),
    CONSTRAINT recipe_run_logs_attempt_fkey FOREIGN KEY (recipe_run_id, attempt)
        REFERENCES recipe_run_attempts (recipe_run_id, number) ON DELETE CASCADE
) STRICT;
