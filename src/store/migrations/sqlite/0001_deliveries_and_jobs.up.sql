-- What arrived. One row per delivery; the first arrival's data.
-- Every index costs a page write in almost every transaction, so each has a reason.
CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY,
    app             TEXT    NOT NULL,
    hook_id         TEXT    NOT NULL,
    guid            TEXT    NOT NULL,
    event           TEXT    NOT NULL,
    action          TEXT,
    repo            TEXT,
    installation_id INTEGER,
    received_at     TEXT    NOT NULL,
    answer_status   INTEGER NOT NULL,
    -- whether work was queued for it
    accepted        INTEGER NOT NULL CONSTRAINT deliveries_accepted_is_bool CHECK (accepted IN (0, 1)),
    -- bytes of the body as received
    size            INTEGER NOT NULL,
    -- content = head (headers and answer as JSON, head_size bytes) and then the body; as one, because
    -- both compress better together. zstd when compressed = 1.
    head_size       INTEGER NOT NULL,
    compressed      INTEGER NOT NULL CONSTRAINT deliveries_compressed_is_bool CHECK (compressed IN (0, 1)),
    content         BLOB    NOT NULL,
    -- GUID first: the same index finds a delivery by its GUID
    CONSTRAINT deliveries_guid_key UNIQUE (guid, app, hook_id)
) STRICT;
-- The filters of the list. One narrow copy that is read from its end, because it grows at one page
-- only: an index per filter would change a page per distinct value in every transaction, which
-- halves the rate of ingest.
CREATE INDEX deliveries_listed ON deliveries (id, event, action, repo);
CREATE INDEX deliveries_accepted ON deliveries (id) WHERE accepted;
CREATE INDEX deliveries_refused ON deliveries (id) WHERE answer_status >= 400;

-- Further arrivals of the same delivery, numbered from 2.
CREATE TABLE delivery_attempts (
    delivery_id   INTEGER NOT NULL CONSTRAINT delivery_attempts_delivery_id_fkey REFERENCES deliveries (id) ON DELETE CASCADE,
    number        INTEGER NOT NULL,
    received_at   TEXT    NOT NULL,
    answer_status INTEGER NOT NULL,
    requeued      INTEGER NOT NULL CONSTRAINT delivery_attempts_requeued_is_bool CHECK (requeued IN (0, 1)),
    same_body     INTEGER NOT NULL CONSTRAINT delivery_attempts_same_body_is_bool CHECK (same_body IN (0, 1)),
    -- only when the body differs from the first one; as in deliveries
    size          INTEGER,
    head_size     INTEGER,
    compressed    INTEGER CONSTRAINT delivery_attempts_compressed_is_bool CHECK (compressed IN (0, 1)),
    content       BLOB,
    CONSTRAINT delivery_attempts_pkey PRIMARY KEY (delivery_id, number)
) STRICT;

CREATE TABLE jobs (
    id           INTEGER PRIMARY KEY,
    delivery_id  INTEGER CONSTRAINT jobs_delivery_id_fkey REFERENCES deliveries (id) ON DELETE SET NULL,
    kind         TEXT    NOT NULL,
    key          TEXT,
    token        TEXT    NOT NULL CONSTRAINT jobs_token_key UNIQUE,
    state        TEXT    NOT NULL DEFAULT 'ready' CONSTRAINT jobs_state_is_known CHECK (state IN ('ready', 'running', 'done', 'dead')),
    payload      TEXT    NOT NULL,
    progress     TEXT    NOT NULL DEFAULT '{}',
    attempts     INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    run_at       TEXT    NOT NULL,
    created_at   TEXT    NOT NULL,
    finished_at  TEXT,
    lease_owner  TEXT,
    lease_until  TEXT,
    last_error   TEXT,
    outcome      TEXT,
    CONSTRAINT jobs_running_is_leased CHECK ((state = 'running') = (lease_until IS NOT NULL))
) STRICT;
-- what can be claimed
CREATE INDEX jobs_due ON jobs (run_at, id) WHERE state = 'ready';
-- whether a key has an earlier unfinished job
CREATE INDEX jobs_open_by_key ON jobs (key, id) WHERE state IN ('ready', 'running');
-- the guarantee: one running job per key
CREATE UNIQUE INDEX jobs_one_running_per_key ON jobs (key) WHERE state = 'running';
-- whose lease ran out
CREATE INDEX jobs_leased ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_dead ON jobs (id) WHERE state = 'dead';
CREATE INDEX jobs_by_delivery ON jobs (delivery_id) WHERE delivery_id IS NOT NULL;
