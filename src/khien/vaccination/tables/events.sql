-- Adverse events following immunisation. A report is never deleted; what is learned later supersedes by a new row of the
-- history, the event itself holds the present state.
CREATE SEQUENCE adverse_event_id_seq AS bigint;

CREATE TABLE adverse_event (
    person_id   bigint NOT NULL,
    event_id    bigint NOT NULL DEFAULT nextval('adverse_event_id_seq'),
    client_id   uuid NOT NULL,
    dose_id     bigint NOT NULL,         -- the dose it followed
    site_id     integer REFERENCES site, -- who reported: the work list of its area
    onset_at    timestamptz NOT NULL,
    known_at    timestamptz NOT NULL,    -- when the reporter learned of it: deadlines run from here
    symptoms    text NOT NULL CHECK (symptoms <> ''),
    seriousness text[] NOT NULL DEFAULT '{}',        -- rulebook/vaccination/adverse_events.toml; empty: not serious
    reported_at timestamptz,             -- to the authority
    causality   text,                    -- WHO category
    conclusion  text NOT NULL DEFAULT '',
    concluded_at timestamptz,
    closed_at   timestamptz,
    recorded_by bigint,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (person_id, event_id),
    UNIQUE (person_id, client_id)
);
CREATE INDEX adverse_event_open ON adverse_event (known_at) WHERE closed_at IS NULL;

CREATE TABLE adverse_event_version (     -- what it said before
    person_id bigint NOT NULL,
    event_id  bigint NOT NULL,
    until     timestamptz NOT NULL,
    body      jsonb NOT NULL,
    PRIMARY KEY (person_id, event_id, until)
);
