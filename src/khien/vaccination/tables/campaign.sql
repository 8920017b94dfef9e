-- From an order to the last dose: campaigns, allocation, sessions, who is called and who came.

-- What is known of a person's health that the rules of a programme ask for; by the programme's code.
CREATE TABLE health_fact (
    person_id   bigint NOT NULL,
    fact_id     bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    client_id   uuid NOT NULL,
    code        text NOT NULL,           -- 'immune_deficiency', 'covid-19' (an infection), 'pregnancy', 'bedridden'
    valid       daterange NOT NULL,      -- empty: it was taken back, as if it had never been
    source      text NOT NULL,           -- 'desk', 'station', 'case'
    recorded_by bigint,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (person_id, fact_id),
    UNIQUE (person_id, client_id)
);

CREATE TABLE person_priority (           -- groups that the register cannot know: by lists of employers and communes
    person_id    bigint NOT NULL,
    programme    text NOT NULL,
    group_number smallint NOT NULL,
    source       text NOT NULL,
    PRIMARY KEY (person_id, programme)
);

CREATE TABLE contact_point (
    person_id bigint NOT NULL,
    system    text NOT NULL CHECK (system IN ('phone', 'email')),  -- FHIR ContactPoint
    value     text NOT NULL,
    PRIMARY KEY (person_id, system)
);

CREATE TABLE campaign (
    campaign_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id     uuid NOT NULL UNIQUE,
    name          text NOT NULL CHECK (name <> ''),
    programme     text NOT NULL,         -- rulebook/programmes
    vaccine_group text NOT NULL,         -- of the programme
    unit_id       integer NOT NULL REFERENCES unit,  -- whose campaign: a province, a district, a commune
    starts_on     date NOT NULL,
    ends_on       date NOT NULL,
    document      text NOT NULL DEFAULT '',          -- the order
    CHECK (ends_on >= starts_on)
);

CREATE TABLE allocation (                -- doses promised: to a unit, or to a site out of what its unit was given
    client_id    uuid PRIMARY KEY,
    campaign_id  bigint NOT NULL REFERENCES campaign,
    product      text NOT NULL REFERENCES vaccine_product,
    unit_id      integer REFERENCES unit,
    site_id      integer REFERENCES site,
    doses        integer NOT NULL CHECK (doses > 0),
    document     text NOT NULL DEFAULT '',
    allocated_at timestamptz NOT NULL,
    recorded_by  bigint,
    CHECK (num_nonnulls(unit_id, site_id) = 1)
);
CREATE INDEX allocation_campaign ON allocation (campaign_id, product);

CREATE TABLE vaccination_session (
    session_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id   uuid NOT NULL UNIQUE,
    campaign_id bigint NOT NULL REFERENCES campaign,
    site_id     integer NOT NULL REFERENCES site,
    day         date NOT NULL,
    kind        text NOT NULL DEFAULT 'site' CHECK (kind IN ('site', 'mobile', 'door')),
    product     text NOT NULL REFERENCES vaccine_product,
    lot_number  text,                    -- the desk's default; chosen on the day
    places      integer NOT NULL CHECK (places > 0),
    closed_at   timestamptz,
    FOREIGN KEY (product, lot_number) REFERENCES lot
);
CREATE INDEX vaccination_session_site ON vaccination_session (site_id, day);
CREATE INDEX vaccination_session_campaign ON vaccination_session (campaign_id, day);
ALTER TABLE stock_movement ADD FOREIGN KEY (session_id) REFERENCES vaccination_session;

CREATE TABLE session_call (              -- who is called to a session, and those who came without
    person_id    bigint NOT NULL,
    session_id   bigint NOT NULL REFERENCES vaccination_session,
    household_id bigint,
    priority     smallint NOT NULL,      -- group of the programme
    dose_number  smallint,
    state        text NOT NULL DEFAULT 'called' CHECK (state IN ('called', 'refused', 'unreachable', 'came')),
    walk_in      boolean NOT NULL DEFAULT false,
    reason       text NOT NULL DEFAULT '',
    called_at    timestamptz NOT NULL,
    invited_by   text,                   -- 'letter', 'email'
    invited      text CHECK (invited IN ('queued', 'sent', 'failed')),
    PRIMARY KEY (person_id, session_id)
);
CREATE INDEX session_call_session ON session_call (session_id);
