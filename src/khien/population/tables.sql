-- The register. person_id is a meaningless number and the key everywhere (DESIGN §4.1); what identifies a person
-- stands in `identifier`. Every table about a person has person_id in its primary key (Citus needs it).

CREATE SEQUENCE person_id_seq AS bigint;
CREATE SEQUENCE household_id_seq AS bigint;

CREATE TABLE person (
    person_id    bigint PRIMARY KEY,
    name         text NOT NULL CHECK (name <> ''),   -- as on the card, NFC
    name_key     text NOT NULL,          -- khien_name_key(name): given name first, folded: 'vi du nguyen thi' order for search
    birth_date   date NOT NULL,          -- first possible day when not known to the day
    birth_precision "char" NOT NULL DEFAULT 'd' CHECK (birth_precision IN ('d', 'm', 'y')),
    sex          text NOT NULL CHECK (sex IN ('male', 'female', 'other', 'unknown')),   -- FHIR AdministrativeGender
    nationality  text NOT NULL DEFAULT 'VNM',        -- ISO 3166-1 alpha-3
    home_unit    integer NOT NULL REFERENCES unit,   -- commune of permanent residence (or where last registered)
    present_unit integer NOT NULL REFERENCES unit,   -- commune where the person is now: kept at write time from residence
    died_on      date,
    merged_into  bigint,                 -- this record proved to be another person's double; reversible
    changed_at   timestamptz NOT NULL DEFAULT now(),
    CHECK (died_on IS NULL OR died_on >= birth_date)
);

CREATE TABLE identifier (
    kind      text NOT NULL CHECK (kind IN ('personal_number', 'cmnd', 'passport', 'insurance', 'provisional')),
    value     text NOT NULL,             -- normalised: no spaces, upper case
    person_id bigint NOT NULL,
    valid     daterange NOT NULL DEFAULT '[,)',
    PRIMARY KEY (value, kind)
);

CREATE TABLE personal_card (
    person_id    bigint NOT NULL,
    card_number  text NOT NULL,          -- document number as printed
    kind         text NOT NULL CHECK (kind IN ('cmnd', 'cccd', 'cccd_chip', 'can_cuoc')),
    issued_on    date NOT NULL,
    expires_on   date,
    cancelled_on date,
    PRIMARY KEY (person_id, card_number, issued_on)
);

CREATE TABLE household (
    household_id bigint PRIMARY KEY,
    unit_id      integer NOT NULL REFERENCES unit,
    address      text NOT NULL           -- below the commune: house, street, hamlet
);

CREATE TABLE household_member (
    person_id    bigint NOT NULL,
    household_id bigint NOT NULL,
    relation     text NOT NULL CHECK (relation IN ('head', 'spouse', 'child', 'parent', 'sibling', 'grandparent', 'grandchild', 'other')),  -- to the head
    valid        daterange NOT NULL,
    PRIMARY KEY (person_id, valid WITHOUT OVERLAPS)
);

-- Law on Residence 68/2020/QH14: permanent (thường trú), temporary (tạm trú), stay (lưu trú), absence (tạm vắng).
CREATE TYPE residence_kind AS ENUM ('permanent', 'temporary', 'stay', 'absence');

CREATE TABLE residence (
    person_id bigint NOT NULL,
    kind      residence_kind NOT NULL,
    unit_id   integer NOT NULL REFERENCES unit,  -- for an absence: the commune the person is absent from
    address   text NOT NULL DEFAULT '',
    valid     daterange NOT NULL CHECK (NOT isempty(valid)),
    source    text NOT NULL DEFAULT 'register',  -- 'register', 'citizen', 'host', 'police', ...
    PRIMARY KEY (person_id, kind, valid WITHOUT OVERLAPS)
);
