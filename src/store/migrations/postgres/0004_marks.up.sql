-- Where a task that goes over something again and again has come to, and who does it now.
CREATE TABLE marks (
    name        text NOT NULL CONSTRAINT marks_pkey PRIMARY KEY,
    -- everything before this time is settled
    settled     timestamptz,
    -- when it was last done to its end
    done_at     timestamptz,
    lease_owner text,
    lease_until timestamptz,
    CONSTRAINT marks_owned_is_leased CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);
