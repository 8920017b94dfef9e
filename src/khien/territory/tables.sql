-- Administrative units in time. Several systems stand side by side (VN-2021 with districts, VN-2025 without);
-- a unit is never overwritten: it ends, and `unit_succession` says what follows.

CREATE TABLE unit_system (
    system    text PRIMARY KEY,          -- 'VN-2021', 'VN-2025', ...
    country   text NOT NULL,             -- ISO 3166-1 numeric, to find the country's outline; '' where unknown
    first_id  integer NOT NULL UNIQUE,   -- the root's id; each system has a block of a million ids
    source    text NOT NULL,
    version   text NOT NULL              -- digest of what maps are drawn from; maps on disk are kept by it
);

CREATE TABLE unit (
    unit_id   integer PRIMARY KEY,       -- numbered in pre-order within its system, so that
    last_id   integer NOT NULL,          -- unit_id..last_id is the whole subtree: an area is a multirange of ids
    system    text NOT NULL REFERENCES unit_system,
    code      text NOT NULL,             -- official code, leading zeros kept
    level     smallint NOT NULL CHECK (level BETWEEN 0 AND 5),  -- 0 country, 1 province, 2 district, 3 commune, 4 hamlet
    kind      text NOT NULL,             -- official kind: 'tinh', 'thanh-pho', 'quan', 'huyen', 'phuong', 'xa', 'dac-khu', ...
    name      text NOT NULL,             -- with its kind, NFC: 'Phường Bến Nghé'; the last one where it had several
    name_folded text NOT NULL,           -- khien_fold(name)
    parent_id integer REFERENCES unit,
    valid     daterange NOT NULL,
    lat       double precision,          -- centroid, WGS 84
    lon       double precision,
    area_km2  double precision,
    approximate boolean NOT NULL DEFAULT false,  -- the centroid is a guess: amid its siblings or where its successor is
    CHECK (last_id >= unit_id),
    UNIQUE (system, level, code, valid)
);
CREATE INDEX unit_parent ON unit (parent_id);
CREATE INDEX unit_name_folded ON unit (name_folded text_pattern_ops);

-- Every name and kind in time of a unit that had several; its id, and with it the residence of everybody, stays.
CREATE TABLE unit_name (
    unit_id integer NOT NULL REFERENCES unit,
    valid   daterange NOT NULL,
    kind    text NOT NULL,
    name    text NOT NULL,
    name_folded text NOT NULL,
    PRIMARY KEY (unit_id, valid WITHOUT OVERLAPS)
);

CREATE TABLE unit_succession (
    from_id integer NOT NULL REFERENCES unit,
    to_id   integer NOT NULL REFERENCES unit,
    on_date date NOT NULL,               -- first day of the new unit
    kind    text NOT NULL CHECK (kind IN ('same', 'merged', 'split', 'renamed')),
    source  text NOT NULL,               -- legal document or data source
    PRIMARY KEY (from_id, to_id, on_date)
);
CREATE INDEX unit_succession_to ON unit_succession (to_id);

-- Real outlines that a user loaded; the map falls back to Voronoi cells of the centroids where there is none.
CREATE TABLE unit_boundary (
    unit_id  integer PRIMARY KEY REFERENCES unit,
    geometry jsonb NOT NULL,             -- GeoJSON Polygon or MultiPolygon, WGS 84
    source   text NOT NULL
);
