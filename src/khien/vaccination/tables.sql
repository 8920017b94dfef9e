-- What was given, to whom, where, from which lot. Doses are never deleted; a correction supersedes (DESIGN §4.6).

CREATE TABLE vaccine_product (           -- loaded from rulebook/vaccines/*.toml, never typed
    product     text PRIMARY KEY,        -- 'comirnaty'
    name        text NOT NULL,
    disease     text NOT NULL,           -- 'covid-19'
    cvx         text,
    atc         text,
    eu_code     text,                    -- EU DCC vaccine medicinal product
    licensed_on date,                    -- in this country
    primary_doses smallint NOT NULL
);

CREATE TABLE site (                      -- vaccination site: commune station, hospital, school
    site_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code    text NOT NULL UNIQUE,
    name    text NOT NULL,
    unit_id integer NOT NULL REFERENCES unit,
    kind    text NOT NULL DEFAULT 'station'
);

CREATE TABLE lot (
    product    text NOT NULL REFERENCES vaccine_product,
    lot_number text NOT NULL,
    expires_on date NOT NULL,
    arrived_on date NOT NULL,            -- in the country
    blocked_on date,                     -- recall or temperature excursion
    block_reason text,
    PRIMARY KEY (product, lot_number)
);

CREATE SEQUENCE dose_id_seq AS bigint;

CREATE TABLE dose (
    person_id   bigint NOT NULL,
    dose_id     bigint NOT NULL DEFAULT nextval('dose_id_seq'),
    client_id   uuid NOT NULL,           -- given by the sender: a replay changes nothing
    product     text NOT NULL REFERENCES vaccine_product,
    lot_number  text,                    -- unknown for doses from elsewhere
    site_id     integer REFERENCES site,
    given_on    date NOT NULL,
    status      text NOT NULL DEFAULT 'completed' CHECK (status IN ('completed', 'entered-in-error')),  -- FHIR Immunization
    evidence    text NOT NULL DEFAULT 'site' CHECK (evidence IN ('site', 'abroad', 'paper', 'declared')),  -- 'declared' never counts as certain
    flags       text[] NOT NULL DEFAULT '{}',   -- rules it breaks though it was really given: recorded, marked, never lost
    counts      boolean NOT NULL DEFAULT true,  -- false: one of the flags keeps it from counting
    substandard boolean NOT NULL DEFAULT false, -- expired or impossible: the schedule does not even look at it
    supersedes  bigint,                  -- the dose_id this corrects; that one gets superseded_by
    superseded_by bigint,
    reason      text,                    -- why corrected
    recorded_by bigint,                  -- account
    recorded_at timestamptz NOT NULL,    -- by the clock decisions are taken on
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),  -- by the wall clock: what changed since a snapshot
    PRIMARY KEY (person_id, dose_id),
    UNIQUE (person_id, client_id)
);
CREATE INDEX dose_lot ON dose (product, lot_number);
CREATE INDEX dose_changed ON dose USING brin (changed_at);  -- what changed since the last coverage snapshot
