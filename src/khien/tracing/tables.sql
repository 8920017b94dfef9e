-- Where people were, who fell ill, who met them. Movement data go away by dropping months (DESIGN §4.10).

CREATE TABLE place (
    place_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code        text NOT NULL UNIQUE CHECK (code <> ''),   -- what is on its QR code, or the sender's key
    kind        text NOT NULL DEFAULT 'unknown',           -- a name in rulebook/contacts/risk.toml
    name        text NOT NULL DEFAULT '',
    unit_id     integer REFERENCES unit,                   -- null: not known
    floor_area  integer CHECK (floor_area > 0),            -- m²
    ventilation text NOT NULL DEFAULT 'unknown'
        CHECK (ventilation IN ('open', 'natural', 'mechanical', 'closed', 'unknown')),
    address     text NOT NULL DEFAULT '',                  -- below the commune, on the poster
    closed_at   timestamptz                                -- its codes take nothing any more
);
-- What other systems print on their posters: their text, under which a place is known too.
CREATE TABLE place_alias (
    code     text PRIMARY KEY CHECK (code <> ''),
    place_id bigint NOT NULL REFERENCES place
);

CREATE TYPE visit_source AS ENUM
    ('guest', 'keeper', 'roster', 'ticket', 'host', 'vaccination', 'passage', 'interview', 'other');

-- How long a visit may last, by class: what overlaps a moment came at most so long before it. The class stands in the
-- index, so that a search for people at a place reads few who had already left.
CREATE TABLE visit_span (
    span    smallint PRIMARY KEY,
    longest interval NOT NULL
);
INSERT INTO visit_span VALUES (0, '2 hours'), (1, '24 hours'), (2, '60 days');

-- Half-open: who leaves at ten and who comes at ten did not meet. left_at null: departure not known.
CREATE TABLE visit (
    person_id bigint NOT NULL,
    place_id  bigint NOT NULL,
    came_at   timestamptz NOT NULL,
    left_at   timestamptz,
    span      smallint NOT NULL,         -- visit_class(came_at, left_at)
    source    visit_source NOT NULL,
    seat      text,                      -- '12A', or the plate of a vehicle
    CHECK (left_at >= came_at),
    PRIMARY KEY (person_id, came_at, place_id) INCLUDE (left_at)
) PARTITION BY RANGE (came_at);
CREATE TABLE visit_default PARTITION OF visit DEFAULT;
CREATE INDEX visit_place ON visit (place_id, span, came_at) INCLUDE (left_at, person_id);
CREATE INDEX visit_seat ON visit (person_id, came_at, place_id) INCLUDE (seat) WHERE seat IS NOT NULL;
CREATE INDEX visit_long ON visit (came_at) WHERE span = 2;   -- few: whether they need to be looked for at all

-- Check-ins that name nobody in the register for certain: kept as noted for reconciliation, gone with the retention.
CREATE TABLE visit_unmatched (
    client_id uuid PRIMARY KEY,
    place_id  bigint NOT NULL REFERENCES place,
    came_at   timestamptz NOT NULL,
    source    visit_source NOT NULL,
    noted     jsonb NOT NULL             -- number, name, birth_date as given
);
CREATE INDEX visit_unmatched_came ON visit_unmatched (came_at);

-- Who is somewhere by timetable: shifts at work, classes at school.
CREATE TABLE roster (
    person_id bigint NOT NULL,
    place_id  bigint NOT NULL REFERENCES place,
    valid     daterange NOT NULL CHECK (NOT isempty(valid)),
    weekdays  smallint[] NOT NULL CHECK (weekdays <@ ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[]),  -- ISO: 1 is Monday
    starts    time NOT NULL,             -- in Viet Nam
    ends      time NOT NULL,             -- not after `starts`: of the next day
    PRIMARY KEY (person_id, place_id, starts, valid)
);
CREATE INDEX roster_place ON roster (place_id);

CREATE SEQUENCE case_id_seq AS bigint;

CREATE TABLE case_report (
    person_id   bigint NOT NULL,
    case_id     bigint NOT NULL DEFAULT nextval('case_id_seq'),
    client_id   uuid NOT NULL,           -- given by the sender: a replay changes nothing
    disease     text NOT NULL DEFAULT 'covid-19',
    state       text NOT NULL CHECK (state IN ('suspected', 'probable', 'confirmed', 'recovered', 'died', 'refuted')),
    definition  text NOT NULL,           -- id in rulebook/contacts/cases.toml by which it was classified
    onset_on    date,                    -- null: no symptoms (yet)
    sampled_on  date,
    reported_on date NOT NULL,
    isolated_at timestamptz,             -- away from everybody from then on
    ended_on    date,                    -- recovered, died or refuted
    variant     text,
    source      text NOT NULL DEFAULT 'unknown' CHECK (source IN ('community', 'contact', 'imported', 'isolation', 'unknown')),
    reported_by bigint,                  -- account
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (person_id, case_id),
    UNIQUE (person_id, client_id),
    CHECK (onset_on IS NOT NULL OR sampled_on IS NOT NULL)
);
CREATE INDEX case_report_reported ON case_report (reported_on);
CREATE INDEX case_report_number ON case_report (case_id);

-- Every state a case, a contact or an order of isolation came to, and why.
CREATE TABLE tracing_event (
    person_id bigint NOT NULL,
    event_id  bigint GENERATED ALWAYS AS IDENTITY,
    subject   text NOT NULL CHECK (subject IN ('case', 'contact', 'isolation', 'link')),
    case_person_id bigint NOT NULL,
    case_id   bigint NOT NULL,
    before    text,
    after     text NOT NULL,
    reason    text NOT NULL DEFAULT '',
    account_id bigint,
    at        timestamptz NOT NULL,
    PRIMARY KEY (person_id, event_id)
);

CREATE TABLE contact (
    person_id      bigint NOT NULL,
    case_person_id bigint NOT NULL,
    case_id        bigint NOT NULL,
    degree         smallint NOT NULL CHECK (degree BETWEEN 1 AND 5),   -- 1: F1, 2: F2, ...
    via_person_id  bigint,               -- the F1 through whom an F2 is one
    score          real NOT NULL CHECK (score BETWEEN 0 AND 1),
    seconds        bigint NOT NULL,      -- together, all exposures
    first_at       timestamptz NOT NULL,
    last_at        timestamptz NOT NULL,
    exposures      json NOT NULL,        -- as trace_step lists them: nobody asks inside, and ten thousand are kept at once
    rule           text NOT NULL,        -- id of the contact rule in force
    state          text NOT NULL CHECK (state IN
        ('listed', 'called', 'visited', 'sampled', 'isolated', 'released', 'not_found', 'case', 'withdrawn')),
    traced_at      timestamptz NOT NULL,
    PRIMARY KEY (person_id, case_person_id, case_id)
);
CREATE INDEX contact_case ON contact (case_person_id, case_id);

CREATE SEQUENCE isolation_id_seq AS bigint;

CREATE TABLE isolation_order (
    person_id      bigint NOT NULL,
    isolation_id   bigint NOT NULL DEFAULT nextval('isolation_id_seq'),
    case_person_id bigint NOT NULL,      -- because of whom
    case_id        bigint NOT NULL,
    place          text NOT NULL CHECK (place IN ('home', 'centre', 'hospital')),
    days           daterange NOT NULL CHECK (NOT isempty(days)),   -- away from everybody
    watch_until    date,                 -- first day after self-watch
    tests          date[] NOT NULL DEFAULT '{}',
    rule           text NOT NULL,        -- id in rulebook/isolation
    ended_on       date,
    end_reason     text CHECK (end_reason IN ('released', 'withdrawn', 'case')),
    ordered_by     bigint,
    ordered_at     timestamptz NOT NULL,
    PRIMARY KEY (person_id, isolation_id),
    CHECK ((ended_on IS NULL) = (end_reason IS NULL))
);
CREATE UNIQUE INDEX isolation_order_open ON isolation_order (person_id) WHERE ended_on IS NULL;

CREATE TABLE symptom_entry (
    person_id   bigint NOT NULL,
    client_id   uuid NOT NULL,
    noted_at    timestamptz NOT NULL,
    temperature numeric(3, 1) CHECK (temperature BETWEEN 30 AND 45),   -- °C
    symptoms    text[] NOT NULL DEFAULT '{}',
    note        text NOT NULL DEFAULT '',
    alarming    boolean NOT NULL DEFAULT false,  -- by rulebook/contacts/diary.toml
    seen_at     timestamptz,             -- by the commune
    seen_by     bigint,
    PRIMARY KEY (person_id, client_id)
);

-- The code under which a contact keeps a diary without an account. Only the digest is kept.
CREATE TABLE diary_link (
    person_id bigint NOT NULL,
    digest    bytea NOT NULL CHECK (length(digest) = 32),   -- SHA-256
    made_at   timestamptz NOT NULL,
    made_by   bigint,
    ends_on   date NOT NULL,             -- first day it opens no more
    PRIMARY KEY (person_id, digest)
);
CREATE INDEX diary_link_digest ON diary_link (digest);

-- An epidemiologist's word on who infected whom, above what is estimated.
CREATE TABLE infection_link (
    person_id   bigint NOT NULL,         -- the infected
    case_id     bigint NOT NULL,
    infector_id bigint,                  -- null: from outside the known cases
    reason      text NOT NULL CHECK (reason <> ''),
    decided_by  bigint,
    decided_at  timestamptz NOT NULL,
    PRIMARY KEY (person_id, case_id)
);

-- Who stayed where: people at the same address as a guest.
CREATE INDEX residence_stay_address ON residence (unit_id, address) WHERE kind = 'stay';
-- And their hosts, the household at that address.
CREATE INDEX household_address ON household (unit_id, address);
