-- What DuckDB does with one piece of a file of visits. Moments are microseconds since 1970.

-- name: settle
-- A piece is looked up in what is known, never that in a piece: DuckDB does not know how long a file is and would take it
-- for the shorter side.
SET disabled_optimizers = 'build_side_probe_side';

-- name: people
-- What the register said so far; a number of nobody has no person.
CREATE OR REPLACE TABLE person_of (value VARCHAR, person_id BIGINT);

-- name: places
CREATE OR REPLACE TABLE place_of (code VARCHAR, place_id BIGINT);

-- name: usual
-- YYYY-MM-DD HH:MM, perhaps seconds, perhaps an offset, by its length alone: the cast sees to the rest. The lengths are
-- bits of a number: a list of more than a few would be joined.
CREATE MACRO usual(told) AS starts_with(told, '20') AND strlen(told) <= 32 AND ({lengths} >> strlen(told)) & 1 = 1
    AND (strlen(told) <> 20 OR ends_with(told, 'Z'));

-- name: reason
-- Why a row cannot be used, and the field; null for one that can. No clock that is right says a later moment than `latest`.
CREATE MACRO reason(came, came_told, gone, gone_told, place_id, person_id) AS
    CASE WHEN came IS NULL AND came_told THEN 'bad_value from' WHEN gone IS NULL AND gone_told THEN 'bad_value to'
        WHEN came IS NULL THEN 'no_time from' WHEN gone < came THEN 'reversed_time to'
        WHEN came > {latest} OR came < 946684800000000 THEN 'wrong_clock from' WHEN place_id IS NULL THEN 'no_place place'
        WHEN person_id IS NULL THEN 'unknown_number personal_number' END;

-- name: read
-- Times in the usual form are read here; one that was told and is not known then is for PostgreSQL to read.
-- Numbers and codes are kept where nobody asked for them yet. A row's number is worked out: the rowid is not in the order
-- of a large file.
CREATE OR REPLACE TEMP TABLE piece AS
SELECT p.row, n.person_id, l.place_id, nullif({seat}, '') AS seat,
    CASE WHEN n.value IS NULL THEN nullif(p.personal_number, '') END AS personal_number,
    CASE WHEN l.code IS NULL THEN nullif(p.place, '') END AS place,
    coalesce(list_position($sources, p.source), len($sources))::UTINYINT AS source,
    CASE WHEN usual(p."from") THEN epoch_us(TRY_CAST(p."from" AS TIMESTAMPTZ)) END AS came, p."from" <> '' AS came_told,
    CASE WHEN usual(p."to") THEN epoch_us(TRY_CAST(p."to" AS TIMESTAMPTZ)) END AS gone, p."to" <> '' AS gone_told
FROM (SELECT row_number() OVER () AS row, * FROM
      read_csv('{file}', auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', strict_mode = true,
               new_line = '\n', columns = {{{columns}}})) p
LEFT JOIN person_of n ON n.value = p.personal_number LEFT JOIN place_of l ON l.code = p.place;

-- name: size
SELECT count(*) FROM piece;

-- name: open_questions
-- Rows whose times PostgreSQL is to read, whose number and whose place nobody asked for yet.
SELECT count(*) FILTER (WHERE (came IS NULL AND came_told) OR (gone IS NULL AND gone_told)), count(personal_number), count(place)
FROM piece;

-- name: ask_times
COPY (SELECT told.row, CASE WHEN p.came IS NULL THEN nullif("from", '') END, CASE WHEN p.gone IS NULL THEN nullif("to", '') END
      FROM piece p JOIN (
          SELECT row_number() OVER () AS row, "from", "to"
          FROM read_csv('{file}', auto_detect = false, header = false, delim = ',', quote = '"', escape = '"',
                        strict_mode = true, new_line = '\n', columns = {{{columns}}})) told ON told.row = p.row
      WHERE (p.came IS NULL AND p.came_told) OR (p.gone IS NULL AND p.gone_told))
TO '{asked}' (FORMAT csv, HEADER false);

-- name: know_times
UPDATE piece SET came = coalesce(piece.came, t.came), gone = coalesce(piece.gone, t.gone)
FROM read_csv('{asked}', auto_detect = false, header = false,
              columns = {{'row': 'BIGINT', 'came': 'BIGINT', 'gone': 'BIGINT'}}) t
WHERE t.row = piece.row;

-- name: ask_numbers
COPY (SELECT DISTINCT personal_number FROM piece
      WHERE personal_number IS NOT NULL AND personal_number NOT IN (SELECT value FROM person_of))
TO '{asked}' (FORMAT csv, HEADER false);

-- name: know_numbers
-- The end of a line is named: DuckDB would guess it, and wrongly where the first value has a CR in it.
INSERT INTO person_of SELECT * FROM read_csv('{asked}', auto_detect = false, header = false, delim = ',', quote = '"', escape = '"',
    strict_mode = true, new_line = '\n', columns = {{'value': 'VARCHAR', 'person_id': 'BIGINT'}});

-- name: number
UPDATE piece SET person_id = n.person_id FROM person_of n WHERE n.value = piece.personal_number;

-- name: ask_places
COPY (SELECT DISTINCT place FROM piece WHERE place IS NOT NULL AND place NOT IN (SELECT code FROM place_of))
TO '{asked}' (FORMAT csv, HEADER false);

-- name: know_places
INSERT INTO place_of SELECT * FROM read_csv('{asked}', auto_detect = false, header = false, delim = ',', quote = '"', escape = '"',
    strict_mode = true, new_line = '\n', columns = {{'code': 'VARCHAR', 'place_id': 'BIGINT'}});

-- name: locate
UPDATE piece SET place_id = l.place_id FROM place_of l WHERE l.code = piece.place;

-- name: good
-- The visits that can be used.
SELECT person_id, place_id, came, gone, source, {seat} AS seat FROM piece
WHERE reason(came, came_told, gone, gone_told, place_id, person_id) IS NULL;

-- name: rejected
SELECT row, split_part(why, ' ', 2), split_part(why, ' ', 1)
FROM (SELECT row, reason(came, came_told, gone, gone_told, place_id, person_id) AS why FROM piece)
WHERE why IS NOT NULL ORDER BY row;

-- name: again
-- The rejected rows as they were sent.
SELECT * FROM (SELECT row_number() OVER () AS row, * FROM read_csv('{file}', auto_detect = false, header = false, delim = ',',
    quote = '"', escape = '"', strict_mode = true, new_line = '\n', columns = {{{columns}}}))
WHERE row IN (SELECT row FROM piece WHERE reason(came, came_told, gone, gone_told, place_id, person_id) IS NOT NULL) ORDER BY row;
