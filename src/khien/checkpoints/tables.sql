-- Checkpoints and the devices that may ask whether a declared identity fits the register. What was asked and answered
-- stands in the access log alone (action 'identity.check'): one entry a check, nothing kept twice.

CREATE TABLE checkpoint (
    checkpoint_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code      text NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9][A-Z0-9-]{0,39}$'),   -- 'HCM-CL1', on signs and in commands
    name      text NOT NULL CHECK (name <> ''),
    unit_id   integer NOT NULL REFERENCES unit,   -- commune it stands in
    road      text NOT NULL DEFAULT '',           -- national road, gateway
    agency_id bigint REFERENCES agency,           -- who runs it: stands in the access log
    open      daterange NOT NULL DEFAULT '[,)' CHECK (NOT isempty(open))
);

-- An enrolled device signs its requests; the key's other half never leaves it.
CREATE TABLE device (
    device_id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    checkpoint_id integer NOT NULL REFERENCES checkpoint,
    label         text NOT NULL CHECK (label <> ''),
    public_key    bytea NOT NULL UNIQUE CHECK (length(public_key) = 32),   -- Ed25519 (RFC 8032)
    added_at      timestamptz NOT NULL,
    revoked_at    timestamptz            -- refused from this moment on, for ever: a device that returns gets a new key
);
CREATE INDEX device_checkpoint ON device (checkpoint_id);

-- Movement -----------------------------------------------------------------------------------------------------------

-- What somebody declared before a journey, and the pass that goes with it. One QR is declaration and pass.
CREATE SEQUENCE declaration_id_seq AS bigint;
CREATE TABLE declaration (
    person_id      bigint NOT NULL,
    declaration_id bigint NOT NULL,
    client_id      uuid NOT NULL,         -- given by the sender: a replay gives the same pass again
    pass_id        uuid NOT NULL,         -- random: what the QR names
    party          uuid,                  -- those declared together: a family, a vehicle
    channel        text NOT NULL CHECK (channel IN ('self', 'proxy', 'paper')),
    declared_at    timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL CHECK (expires_at > declared_at),
    revoked_at     timestamptz,
    revoke_reason  text,
    from_unit      integer REFERENCES unit,
    to_unit        integer REFERENCES unit,
    plate          text,
    verdict        text NOT NULL,         -- of the match with the register, never shown to who declares
    notes          text NOT NULL DEFAULT '',
    form           text NOT NULL,         -- id of the form in rulebook/checkpoints/declaration.toml
    answers        jsonb NOT NULL,        -- by field id
    recorded_by    bigint,                -- account; null: the public page
    PRIMARY KEY (person_id, declaration_id)
);
CREATE INDEX declaration_pass ON declaration (pass_id);
CREATE INDEX declaration_client ON declaration (client_id);
CREATE INDEX declaration_expires ON declaration (expires_at);

-- Declarations that name nobody in the register for certain: kept for reconciliation, their passes hold all the same.
CREATE TABLE declaration_unmatched (
    declaration_id bigint PRIMARY KEY,
    client_id      uuid NOT NULL,
    pass_id        uuid NOT NULL,
    party          uuid,
    channel        text NOT NULL,
    declared_at    timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz,
    revoke_reason  text,
    from_unit      integer REFERENCES unit,
    to_unit        integer REFERENCES unit,
    plate          text,
    verdict        text NOT NULL,
    notes          text NOT NULL DEFAULT '',
    form           text NOT NULL,
    answers        jsonb NOT NULL,
    recorded_by    bigint,
    declared       jsonb NOT NULL         -- number, name, birth_date, sex as declared
);
CREATE INDEX declaration_unmatched_pass ON declaration_unmatched (pass_id);
CREATE INDEX declaration_unmatched_client ON declaration_unmatched (client_id);
CREATE INDEX declaration_unmatched_expires ON declaration_unmatched (expires_at);

-- Who passed which checkpoint when. Goes away by dropping months (DESIGN §4.10).
CREATE TABLE passage (
    person_id     bigint NOT NULL,
    passed_at     timestamptz NOT NULL,
    client_id     uuid NOT NULL,          -- given by the device: a replay changes nothing
    checkpoint_id integer NOT NULL REFERENCES checkpoint,
    unit_id       integer NOT NULL REFERENCES unit,   -- commune of the checkpoint
    direction     text NOT NULL CHECK (direction IN ('in', 'out')),  -- into the area it guards, or out of it
    from_unit     integer REFERENCES unit,
    to_unit       integer REFERENCES unit, -- where the person is afterwards; coming in without a declaration: unit_id
    plate         text,                   -- of the vehicle, upper case without separators
    companions    smallint NOT NULL DEFAULT 0 CHECK (companions BETWEEN 0 AND 200),  -- besides this person
    party         uuid,                   -- passages of one vehicle or family
    pass_id       uuid,
    checked       text NOT NULL CHECK (checked IN ('register', 'kit', 'eye')),  -- by what identity was checked
    device_id     integer REFERENCES device,
    account_id    bigint,
    recorded_at   timestamptz NOT NULL,   -- later than passed_at where it waited without network
    PRIMARY KEY (person_id, passed_at, client_id)
) PARTITION BY RANGE (passed_at);
CREATE INDEX passage_client ON passage (client_id);
CREATE INDEX passage_checkpoint ON passage (checkpoint_id, passed_at);
-- Catches what no month was made ready for; passage_month_ready moves its rows to where they belong.
CREATE TABLE passage_default PARTITION OF passage DEFAULT;

-- Passages of people whom the register does not know by what was noted: kept as noted, never dropped silently.
CREATE TABLE passage_unmatched (
    client_id     uuid PRIMARY KEY,
    passed_at     timestamptz NOT NULL,
    checkpoint_id integer NOT NULL REFERENCES checkpoint,
    unit_id       integer NOT NULL REFERENCES unit,
    direction     text NOT NULL,
    noted         jsonb NOT NULL,         -- number, name, birth_date, plate, companions, pass_id ... as sent
    checked       text NOT NULL,
    device_id     integer REFERENCES device,
    account_id    bigint,
    recorded_at   timestamptz NOT NULL
);
CREATE INDEX passage_unmatched_checkpoint ON passage_unmatched (checkpoint_id, passed_at);

-- Work of the commune police: somebody leaves their commune or arrives in it.
CREATE TABLE movement_notice (
    person_id      bigint NOT NULL,
    unit_id        integer NOT NULL REFERENCES unit,   -- whose police this is for
    kind           text NOT NULL CHECK (kind IN ('leaves', 'arrives')),
    at             timestamptz NOT NULL,               -- of the declaration or the passage
    source         text NOT NULL CHECK (source IN ('declaration', 'passage')),
    other_unit     integer REFERENCES unit,            -- where to, or where from
    checkpoint_id  integer REFERENCES checkpoint,
    state          text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'seen', 'not_found')),
    done_at        timestamptz,
    done_by        bigint,
    PRIMARY KEY (person_id, unit_id, kind, at)
);
CREATE INDEX movement_notice_unit ON movement_notice (unit_id, at);
