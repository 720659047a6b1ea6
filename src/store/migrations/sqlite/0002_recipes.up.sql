CREATE TABLE feedstocks (
    id       INTEGER PRIMARY KEY,
    spec     TEXT NOT NULL CONSTRAINT feedstocks_spec_key UNIQUE,
    provider TEXT NOT NULL DEFAULT 'github' CONSTRAINT feedstocks_provider_is_known CHECK (provider IN ('github'))
) STRICT;

CREATE TABLE bakeries (
    id          INTEGER PRIMARY KEY,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL CONSTRAINT bakeries_name_key UNIQUE,
    description TEXT NOT NULL
) STRICT;

CREATE TABLE recipe_runs (
    id                 INTEGER PRIMARY KEY,
    recipe_id          TEXT    NOT NULL,
    bakery_id          INTEGER NOT NULL CONSTRAINT recipe_runs_bakery_id_fkey REFERENCES bakeries (id),
    feedstock_id       INTEGER NOT NULL CONSTRAINT recipe_runs_feedstock_id_fkey REFERENCES feedstocks (id),
    head_sha           TEXT    NOT NULL,
    version            TEXT    NOT NULL DEFAULT '',
    started_at         TEXT    NOT NULL,
    completed_at       TEXT,
    conclusion         TEXT    CONSTRAINT recipe_runs_conclusion_is_known CHECK (conclusion IN (
        'action_required', 'cancelled', 'failure', 'neutral', 'success', 'skipped', 'stale', 'timed_out')),
    status             TEXT    NOT NULL DEFAULT 'queued' CONSTRAINT recipe_runs_status_is_known CHECK (status IN (
        'queued', 'in_progress', 'completed')),
    is_test            INTEGER NOT NULL DEFAULT 0 CONSTRAINT recipe_runs_is_test_is_bool CHECK (is_test IN (0, 1)),
    dataset_type       TEXT    CONSTRAINT recipe_runs_dataset_type_is_known CHECK (dataset_type IN ('zarr', 'kerchunk', 'parquet')),
    dataset_public_url TEXT,
    message            TEXT,
    pr_number          INTEGER,
    CONSTRAINT recipe_runs_commit_key UNIQUE (feedstock_id, head_sha, recipe_id, is_test)
) STRICT;
CREATE INDEX recipe_runs_by_bakery ON recipe_runs (bakery_id);
