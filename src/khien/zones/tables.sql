-- Zone orders in time, the figures that grades are proposed from, and the work that movement makes for the police.

CREATE TABLE zone (
    zone_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL CHECK (name <> '')
);

-- One legal order. Borders and grades change by a new order that supersedes; what was once in force is never changed.
-- On a day the order holds whose days hold it, unless it was a proposal: state <> 'proposed', 'withdrawn'.
CREATE TABLE zone_order (
    order_id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    zone_id       integer NOT NULL REFERENCES zone,
    state         text NOT NULL CHECK (state IN ('proposed', 'in_force', 'lifted', 'withdrawn', 'superseded')),
    grade         smallint NOT NULL CHECK (grade BETWEEN 1 AND 4),   -- Resolution 128/NQ-CP: 1 green to 4 red
    regime        text,                  -- id of a directive in rulebook/zones/directives.toml, if it applies one
    area          int4multirange NOT NULL,                           -- unit ids of any system, subtrees as ranges
    valid         daterange NOT NULL,    -- planned days; ends when lifted or superseded, empty if that was its first day
    document      text NOT NULL CHECK (document <> ''),
    signed_by     text NOT NULL CHECK (signed_by <> ''),
    end_document  text,                  -- by which it was lifted or withdrawn
    end_signed_by text,
    supersedes    integer REFERENCES zone_order,
    superseded_by integer REFERENCES zone_order,
    recorded_by   bigint,                -- account
    recorded_on   date NOT NULL,         -- the day of decisions: an order entered later than its first day is a finding
    changed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((state = 'superseded') = (superseded_by IS NOT NULL)),
    -- One zone has one order at a time.
    EXCLUDE USING gist (zone_id WITH =, valid WITH &&) WHERE (state NOT IN ('proposed', 'withdrawn'))
);
CREATE INDEX zone_order_area ON zone_order USING gist (area);

-- Smaller parts of an order's area, beside its units. A place is whoever is registered at an address of a unit that
-- holds these words: a hamlet, an alley, a block of flats, a dormitory.
CREATE TABLE zone_order_household (
    order_id     integer NOT NULL REFERENCES zone_order,
    household_id bigint NOT NULL,
    PRIMARY KEY (order_id, household_id)
);
CREATE TABLE zone_order_place (
    order_id integer NOT NULL REFERENCES zone_order,
    unit_id  integer NOT NULL REFERENCES unit,
    address  text NOT NULL CHECK (address <> ''),      -- khien_fold of the words
    name     text NOT NULL,              -- as written in the order
    PRIMARY KEY (order_id, unit_id, address)
);

-- Figures for grades --------------------------------------------------------------------------------------------------

-- New community cases of a commune, by the day they fell ill and the day they were reported.
CREATE TABLE case_count (
    unit_id     integer NOT NULL REFERENCES unit,
    reported_on date NOT NULL,
    onset_on    date CHECK (onset_on <= reported_on),   -- null: not known
    cases       integer NOT NULL CHECK (cases >= 0),
    source      text NOT NULL DEFAULT '',
    UNIQUE NULLS NOT DISTINCT (reported_on, unit_id, onset_on)
);

-- What a commune can treat (criterion 3 of Decision 4800). The newest report up to a day counts; of one day the last.
CREATE TABLE care_capacity (
    unit_id     integer NOT NULL REFERENCES unit,
    reported_on date NOT NULL,
    sufficient  boolean NOT NULL,
    note        text NOT NULL DEFAULT '',
    PRIMARY KEY (unit_id, reported_on)
);

-- People ------------------------------------------------------------------------------------------------------------

-- Needs that the register does not know: who needs dialysis, is pregnant or cannot care for themselves, by day.
CREATE TABLE person_need (
    person_id bigint NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('pregnant', 'dialysis', 'chronic', 'disabled', 'oxygen')),
    valid     daterange NOT NULL CHECK (NOT isempty(valid)),
    source    text NOT NULL,
    PRIMARY KEY (person_id, kind, valid WITHOUT OVERLAPS)
);

-- People of a zone who are now somewhere else: work for the police of that commune, who may see them for it.
CREATE TABLE zone_task (
    person_id   bigint NOT NULL,
    zone_id     integer NOT NULL REFERENCES zone,
    unit_id     integer NOT NULL REFERENCES unit,      -- where the person is now: whose police this is for
    came_on     date NOT NULL,           -- first day there as far as known
    state       text NOT NULL CHECK (state IN ('open', 'seen', 'not_found', 'moved_on')),
    certainty   text NOT NULL CHECK (certainty IN ('seen', 'registered', 'presumed')),
    made_on     date NOT NULL,
    done_on     date,
    done_by     bigint,                  -- account
    note        text NOT NULL DEFAULT '',
    PRIMARY KEY (person_id, zone_id, unit_id, came_on)
) PARTITION BY RANGE (came_on);          -- goes away by dropping months (DESIGN §4.10)
CREATE TABLE zone_task_default PARTITION OF zone_task DEFAULT;
CREATE INDEX zone_task_unit ON zone_task (unit_id, made_on);

-- What zone_lists says of a person whom an area concerns.
CREATE TYPE zone_member AS (
    person_id bigint,
    list      text,                      -- resident_present, temporary_present, resident_away, not_found, left
    unit_id   integer,                   -- where the person is; null: not known
    certainty text,                      -- seen, registered, presumed, unknown
    reason    text,                      -- what says so: passage, stay, temporary, permanent, absent, last_known
    since     date,
    moved     text,                      -- within the asked days: 'arrived' or 'left'
    moved_on  date,
    other_unit integer                   -- where from, where to
);

-- Who resides or resided in an area, and a person's spells without the slower index of the key that forbids overlaps.
CREATE INDEX residence_unit ON residence (unit_id);
CREATE INDEX residence_person ON residence (person_id);
-- Who was seen in an area: with everything the policy and the lists ask for, so that no passage itself is read.
CREATE INDEX passage_to_unit ON passage (to_unit, passed_at) INCLUDE (person_id, unit_id);
