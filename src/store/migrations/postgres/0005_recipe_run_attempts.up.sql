-- Where the commit of a run is, and the check run that tells of it.
ALTER TABLE recipe_runs ADD COLUMN repo_html_url text;
ALTER TABLE recipe_runs ADD COLUMN feedstock_subdir text;
ALTER TABLE recipe_runs ADD COLUMN installation_id bigint;
ALTER TABLE recipe_runs ADD COLUMN check_run_id bigint;

-- A run may be started several times (`/run` again, a retry): the row of the run shows the newest attempt.
CREATE TABLE recipe_run_attempts (
    recipe_run_id       bigint      NOT NULL CONSTRAINT recipe_run_attempts_run_fkey REFERENCES recipe_runs (id) ON DELETE CASCADE,
    number              integer     NOT NULL,
    -- what asked for it, so that asking twice is asking once
    token               text        NOT NULL CONSTRAINT recipe_run_attempts_token_key UNIQUE,
    requested_by        text,
    -- the comment that asked for it, which gets the reactions
    comment_id          bigint,
    requested_at        timestamptz NOT NULL,
    started_at          timestamptz,
    ended_at            timestamptz,
    cancel_requested_at timestamptz,
    conclusion          text        CONSTRAINT recipe_run_attempts_conclusion_is_known CHECK (conclusion IN (
        'action_required', 'cancelled', 'failure', 'neutral', 'success', 'skipped', 'stale', 'timed_out')),
    -- the name of the job at the bakery, by which a bakery may report
    job_name            text        CONSTRAINT recipe_run_attempts_job_name_key UNIQUE,
    -- the bakery's own id of the job
    job_id              text,
    -- why it failed: one line, and the whole trace, both without secrets
    reason              text,
    trace               text,
    CONSTRAINT recipe_run_attempts_pkey PRIMARY KEY (recipe_run_id, number),
    CONSTRAINT recipe_run_attempts_ended_is_concluded CHECK ((ended_at IS NULL) = (conclusion IS NULL))
);
-- the guarantee: one attempt at a time
CREATE UNIQUE INDEX recipe_run_attempts_one_open ON recipe_run_attempts (recipe_run_id) WHERE ended_at IS NULL;

-- What the runner wrote, in pieces of whole lines, without secrets.
CREATE TABLE recipe_run_logs (
    recipe_run_id bigint      NOT NULL,
    attempt       integer     NOT NULL,
    seq           integer     NOT NULL,
    written_at    timestamptz NOT NULL,
    content       text        NOT NULL,
    CONSTRAINT recipe_run_logs_pkey PRIMARY KEY (recipe_run_id, attempt, seq),
    CONSTRAINT recipe_run_logs_attempt_fkey FOREIGN KEY (recipe_run_id, attempt)
        REFERENCES recipe_run_attempts (recipe_run_id, number) ON DELETE CASCADE
);
