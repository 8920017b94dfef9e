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
