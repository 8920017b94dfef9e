-- What DuckDB does with one piece of a file of visits. Moments are microseconds since 1970.

-- name: known
-- What the register said so far; a number of nobody has no person.
CREATE TABLE person_of (value VARCHAR, person_id BIGINT);
CREATE TABLE place_of (code VARCHAR, place_id BIGINT);

-- name: read
-- Times in the usual form are read here; one that was told and is not known then is for PostgreSQL to read.
-- Texts that nobody asks for are not kept. A row's number is worked out: the rowid is not in the order of a large file.
CREATE OR REPLACE TEMP TABLE piece AS
SELECT row_number() OVER () AS row, nullif(personal_number, '') AS personal_number, nullif(place, '') AS place, nullif({seat}, '') AS seat,
    coalesce(list_position($sources, source), len($sources))::UTINYINT AS source,
    CASE WHEN usual("from") THEN epoch_us(TRY_CAST("from" AS TIMESTAMPTZ)) END AS came, "from" <> '' AS came_told,
    CASE WHEN usual("to") THEN epoch_us(TRY_CAST("to" AS TIMESTAMPTZ)) END AS gone, "to" <> '' AS gone_told
FROM read_csv('{file}', auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', strict_mode = true,
              new_line = '\n', columns = {{{columns}}});

-- name: size
SELECT count(*) FROM piece;

-- name: usual
-- YYYY-MM-DD HH:MM, perhaps seconds, perhaps an offset, by its length alone: the cast sees to the rest.
CREATE MACRO usual(told) AS starts_with(told, '20') AND length(told) IN (16, 17, 19, 20, 22, 25, 26, 29, 32)
    AND (length(told) <> 20 OR ends_with(told, 'Z'));

-- name: odd_times
SELECT count(*) FROM piece WHERE (came IS NULL AND came_told) OR (gone IS NULL AND gone_told);

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

-- name: ask_places
COPY (SELECT DISTINCT place FROM piece WHERE place IS NOT NULL AND place NOT IN (SELECT code FROM place_of))
TO '{asked}' (FORMAT csv, HEADER false);

-- name: know_places
INSERT INTO place_of SELECT * FROM read_csv('{asked}', auto_detect = false, header = false, delim = ',', quote = '"', escape = '"',
    strict_mode = true, new_line = '\n', columns = {{'code': 'VARCHAR', 'place_id': 'BIGINT'}});

-- name: judge
-- Every row with its ids, or with the reason and the field for which it cannot be used.
CREATE OR REPLACE TEMP TABLE judged AS
SELECT p.row, n.person_id, l.place_id, p.came, p.gone, p.seat, p.source,
    CASE WHEN came IS NULL AND came_told THEN 'bad_value from' WHEN gone IS NULL AND gone_told THEN 'bad_value to'
        WHEN came IS NULL THEN 'no_time from' WHEN gone < came THEN 'reversed_time to'
        WHEN came > $latest OR came < 946684800000000 THEN 'wrong_clock from' WHEN place IS NULL THEN 'no_place place'
        WHEN person_id IS NULL THEN 'unknown_number personal_number' END AS reason
FROM piece p LEFT JOIN person_of n ON n.value = p.personal_number LEFT JOIN place_of l ON l.code = p.place;

-- name: forget
DROP TABLE piece;

-- name: counts
SELECT count(*), count(*) FILTER (WHERE reason IS NULL) FROM judged;

-- name: rejected
SELECT row, split_part(reason, ' ', 2), split_part(reason, ' ', 1) FROM judged WHERE reason IS NOT NULL ORDER BY row;

-- name: again
-- The rejected rows as they were sent.
SELECT * FROM (SELECT row_number() OVER () AS row, * FROM read_csv('{file}', auto_detect = false, header = false, delim = ',',
    quote = '"', escape = '"', strict_mode = true, new_line = '\n', columns = {{{columns}}}))
WHERE row IN (SELECT row FROM judged WHERE reason IS NOT NULL) ORDER BY row;

-- name: months
SELECT DISTINCT date_trunc('month', make_timestamp(came))::DATE FROM judged WHERE reason IS NULL ORDER BY 1;

-- name: good
-- The good rows of a month as they are kept; moments since 2000, as PostgreSQL counts. 
SELECT person_id, place_id, came - 946684800000000 AS came_at, coalesce(gone, came) - 946684800000000 AS left_at,
    (gone IS NOT NULL)::UTINYINT AS left,
    CASE WHEN gone IS NULL THEN 1 WHEN gone - came <= 7200000000 THEN 0 WHEN gone - came <= 86400000000 THEN 1
        ELSE 2 END::SMALLINT AS span,
    source, {seat} AS seat
FROM judged WHERE reason IS NULL AND make_timestamp(came) >= $month AND make_timestamp(came) < $month + INTERVAL 1 MONTH;
