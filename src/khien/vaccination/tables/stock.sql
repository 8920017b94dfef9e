-- What is in the fridge, counted in doses. The ledger is only ever added to; `stock` is its running sum, kept in the same
-- transaction under a row lock, so that no balance can fall below nought.

ALTER TABLE lot
    ADD COLUMN doses_per_vial smallint CHECK (doses_per_vial > 0),
    ADD COLUMN open_vial_hours smallint CHECK (open_vial_hours > 0);  -- how long an opened vial may be used

CREATE TABLE stock (
    product    text NOT NULL,
    lot_number text NOT NULL,
    site_id    integer NOT NULL REFERENCES site,
    doses      integer NOT NULL DEFAULT 0 CHECK (doses >= 0),
    PRIMARY KEY (product, lot_number, site_id),
    FOREIGN KEY (product, lot_number) REFERENCES lot
);
CREATE INDEX stock_site ON stock (site_id);

CREATE TABLE stock_movement (
    movement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id   uuid NOT NULL,           -- given by the sender; both sides of a transfer carry the same
    kind        text NOT NULL CHECK (kind IN ('receipt', 'transfer_out', 'transfer_in', 'use', 'waste', 'excursion')),
    product     text NOT NULL,
    lot_number  text NOT NULL,
    site_id     integer NOT NULL REFERENCES site,
    doses       integer NOT NULL CHECK (doses > 0 OR kind = 'excursion' AND doses >= 0),
    change      integer NOT NULL GENERATED ALWAYS AS (CASE   -- of the balance; an excursion moves nothing
        WHEN kind IN ('receipt', 'transfer_in') THEN doses WHEN kind = 'excursion' THEN 0 ELSE -doses END) STORED,
    other_site  integer REFERENCES site, -- the other side of a transfer
    session_id  bigint,                  -- for use and waste: the vaccination session
    reason      text NOT NULL DEFAULT '',
    moved_at    timestamptz NOT NULL,    -- by the clock decisions are taken on
    recorded_by bigint,                  -- account
    UNIQUE (client_id, kind, site_id),
    FOREIGN KEY (product, lot_number) REFERENCES lot
);
CREATE INDEX stock_movement_lot ON stock_movement (product, lot_number, site_id);
CREATE INDEX stock_movement_session ON stock_movement (session_id) WHERE session_id IS NOT NULL;

CREATE FUNCTION stock_movement_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the stock ledger is only ever added to';
END $$;
CREATE TRIGGER stock_movement_stands BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movement
    FOR EACH STATEMENT EXECUTE FUNCTION stock_movement_stands();

CREATE TABLE open_vial (
    client_id  uuid PRIMARY KEY,
    product    text NOT NULL,
    lot_number text NOT NULL,
    site_id    integer NOT NULL REFERENCES site,
    session_id bigint,
    opened_at  timestamptz NOT NULL,
    discard_at timestamptz,              -- null: the lot's open-vial life is not known
    FOREIGN KEY (product, lot_number) REFERENCES lot
);
CREATE INDEX open_vial_site ON open_vial (site_id, opened_at);
