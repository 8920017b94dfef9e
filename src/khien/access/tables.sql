-- Append-only log of every write and of every read of an identified person (DESIGN §4.2, §4.4).
-- One call of log_append writes one link of a chain (a lane) and one entry a person.
-- Lanes keep writers from waiting for each other; each lane is a hash chain of its own.

CREATE TABLE access_link (
    lane      smallint NOT NULL,
    seq       bigint NOT NULL,
    at        timestamptz NOT NULL,      -- UTC instant of the call
    entries   integer NOT NULL,
    digest    bytea NOT NULL,            -- sha256(previous digest || sha256(of its entries))
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
CREATE INDEX access_log_account ON access_log (account_id, at);

-- A card held out or a call list opens one person to one account for some hours, wherever that person lives.
CREATE TABLE access_grant (
    person_id  bigint NOT NULL,
    account_id bigint NOT NULL,
    purpose    text NOT NULL,
    until      timestamptz NOT NULL,
    PRIMARY KEY (person_id, account_id, purpose)
);
