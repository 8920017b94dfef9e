-- What DuckDB does with one piece of a file of visits. Moments are microseconds since 1970.

-- name: known
-- What the register said so far; a number of nobody has no person.
CREATE TABLE person_of (value VARCHAR, person_id BIGINT);
CREATE TABLE place_of (code VARCHAR, place_id BIGINT);

-- name: read
-- Times in the usual form are read here; what stands in `odd_from` and `odd_to` is for PostgreSQL to read.
CREATE OR REPLACE TEMP TABLE piece AS
SELECT row_number() OVER () AS row, nullif(personal_number, '') AS personal_number, nullif(place, '') AS place,
    nullif(source, '') AS source, nullif({seat}, '') AS seat,
    CASE WHEN usual("from") THEN epoch_us(TRY_CAST("from" AS TIMESTAMPTZ)) END AS came,
    CASE WHEN usual("to") THEN epoch_us(TRY_CAST("to" AS TIMESTAMPTZ)) END AS gone,
    CASE WHEN came IS NULL THEN nullif("from", '') END AS odd_from, CASE WHEN gone IS NULL THEN nullif("to", '') END AS odd_to
FROM read_csv('{file}', auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', strict_mode = true,
              new_line = '\n', columns = {{{columns}}});

-- name: size
SELECT count(*) FROM piece;

-- name: usual
-- YYYY-MM-DD HH:MM, perhaps seconds, perhaps an offset, by its length alone: the cast sees to the rest.
CREATE MACRO usual(told) AS starts_with(told, '20') AND length(told) IN (16, 17, 19, 20, 22, 25, 26, 29, 32)
    AND (length(told) <> 20 OR ends_with(told, 'Z'));

-- name: ask_times
COPY (SELECT row, odd_from, odd_to FROM piece WHERE odd_from IS NOT NULL OR odd_to IS NOT NULL)
TO '{file}' (FORMAT csv, HEADER false);

-- name: know_times
UPDATE piece SET came = coalesce(piece.came, t.came), gone = coalesce(piece.gone, t.gone),
    odd_from = CASE WHEN t.came IS NULL THEN odd_from END, odd_to = CASE WHEN t.gone IS NULL THEN odd_to END
FROM read_csv('{file}', auto_detect = false, header = false,
              columns = {{'row': 'BIGINT', 'came': 'BIGINT', 'gone': 'BIGINT'}}) t
WHERE t.row = piece.row;

-- name: ask_numbers
COPY (SELECT DISTINCT personal_number FROM piece
      WHERE personal_number IS NOT NULL AND personal_number NOT IN (SELECT value FROM person_of))
TO '{file}' (FORMAT csv, HEADER false);

-- name: know_numbers
INSERT INTO person_of SELECT * FROM read_csv('{file}', auto_detect = false, header = false,
    columns = {{'value': 'VARCHAR', 'person_id': 'BIGINT'}});

-- name: ask_places
COPY (SELECT DISTINCT place FROM piece WHERE place IS NOT NULL AND place NOT IN (SELECT code FROM place_of))
TO '{file}' (FORMAT csv, HEADER false);

-- name: know_places
INSERT INTO place_of SELECT * FROM read_csv('{file}', auto_detect = false, header = false,
    columns = {{'code': 'VARCHAR', 'place_id': 'BIGINT'}});

-- name: judge
-- Every row with its ids and its source's position in $sources, or with the reason and the field for which it cannot be used.
CREATE OR REPLACE TEMP TABLE judged AS
SELECT p.row, n.person_id, l.place_id, p.came, p.gone, p.seat,
    coalesce(list_position($sources, p.source), len($sources))::UTINYINT AS source,
    CASE WHEN odd_from IS NOT NULL THEN 'bad_value from' WHEN odd_to IS NOT NULL THEN 'bad_value to'
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
