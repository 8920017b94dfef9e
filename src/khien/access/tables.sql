-- Append-only log of every write and of every read of an identified person (DESIGN §4.2, §4.4).
-- One call of log_append writes one link of a chain (a lane) and one entry a person.
-- Lanes keep writers from waiting for each other; each lane is a hash chain of its own.

CREATE TABLE access_link (
    lane      smallint NOT NULL,
    seq       bigint NOT NULL,           -- 1, 2, 3 ... within the lane, without gaps
    at        timestamptz NOT NULL,      -- instant of the call, by the real clock: the log is evidence, not a decision
    entries   integer NOT NULL,
    content   bytea NOT NULL,            -- sha256 of the canonical text of its entries: outlives them (retention)
    digest    bytea NOT NULL,            -- sha256(previous digest || content)
    PRIMARY KEY (lane, seq)
);

CREATE TABLE access_log (
    at        timestamptz NOT NULL,
    lane      smallint NOT NULL,
    seq       bigint NOT NULL,
    n         integer NOT NULL,          -- position within the call, from 1
    account_id bigint,                   -- null: the machine itself (loader, job)
    agency_id  bigint,
    purpose   text NOT NULL,
    action    text NOT NULL,             -- 'person.read', 'dose.record', ...
    person_id bigint,
    detail    jsonb NOT NULL DEFAULT '{}',  -- never an identifier of a person
    PRIMARY KEY (at, lane, seq, n)
) PARTITION BY RANGE (at);
CREATE INDEX access_log_person ON access_log (person_id, at);
CREATE INDEX access_log_account ON access_log (account_id, at) WHERE account_id IS NOT NULL;  -- machines write the most
-- Catches what no month was made ready for, so that nobody's work stops; access_verify complains about its rows and
-- access_months_ready() moves them to where they belong.
CREATE TABLE access_log_default PARTITION OF access_log DEFAULT;

-- A card held out or a call list opens one person to one account for some hours, wherever that person lives.
-- A citizen's own record is open to their account without end.
CREATE TABLE access_grant (
    person_id  bigint NOT NULL,
    account_id bigint NOT NULL,
    purpose    text NOT NULL,
    until      timestamptz NOT NULL,
    PRIMARY KEY (person_id, account_id, purpose)
);
CREATE INDEX access_grant_account ON access_grant (account_id, purpose);

-- Django's cache, in the database so that limits on failed sign-ins hold over all processes.
CREATE TABLE access_cache (
    cache_key text PRIMARY KEY,
    value     text NOT NULL,
    expires   timestamptz NOT NULL
);
CREATE INDEX access_cache_expires ON access_cache (expires);
