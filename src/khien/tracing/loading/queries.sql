-- name: stage
-- What a piece of the file says, as it says it; of this connection alone.
CREATE TEMP TABLE IF NOT EXISTS visit_staging (
    personal_number text, place text, came_at timestamptz, left_at timestamptz, source text, seat text
);

-- name: unstage
TRUNCATE visit_staging;

-- name: settle
-- A load is many large joins: by hash, whatever the planner guesses of a table nobody analysed.
SET timezone = 'Asia/Ho_Chi_Minh'; SET work_mem = '256MB'; SET synchronous_commit = off;
SET max_parallel_workers_per_gather = 0; SET client_connection_check_interval = '1s'; SET client_min_messages = notice;

-- name: prepare
CREATE UNLOGGED TABLE loading.visit_piece (piece integer PRIMARY KEY, read_rows bigint, good_rows bigint, places bigint);
CREATE UNLOGGED TABLE loading.visit_reject (line bigint, field text, reason text, noted text[]);
CREATE UNLOGGED TABLE loading.visit_taken (month date PRIMARY KEY, known bigint);
CREATE UNLOGGED TABLE loading.visit_run (fingerprint text);

-- name: clear
DROP TABLE IF EXISTS loading.visit_piece, loading.visit_reject, loading.visit_taken, loading.visit_run;

-- name: begin
SELECT visit_load_begin();

-- name: unfinished
-- The file a load was about that did not end. After a crash of the server these tables are empty: it starts afresh.
SELECT fingerprint FROM loading.visit_run;

-- name: begun
INSERT INTO loading.visit_run VALUES (%(fingerprint)s);

-- name: pieces_done
SELECT piece FROM loading.visit_piece;

-- name: staged_span
-- How many rows, and the days (UTC) of those whose clock can be right.
SELECT count(*) AS visits,
    (min(came_at) FILTER (WHERE came_at >= '2000-01-01' AND came_at <= %(latest)s) AT TIME ZONE 'UTC')::date AS first,
    (max(came_at) FILTER (WHERE came_at >= '2000-01-01' AND came_at <= %(latest)s) AT TIME ZONE 'UTC')::date AS last
FROM visit_staging;

-- name: months
SELECT visit_load_months(%(first)s::date, %(last)s::date);

-- name: add_missing_places
-- Places that nobody described yet: kept under their code, of unknown kind. In order, so that two who add wait in turn.
INSERT INTO place (code)
SELECT DISTINCT s.place FROM visit_staging s
WHERE s.place IS NOT NULL AND NOT EXISTS (SELECT FROM place p WHERE p.code = s.place)
    AND NOT EXISTS (SELECT FROM place_alias a WHERE a.code = s.place)
ORDER BY 1 ON CONFLICT (code) DO NOTHING;

-- name: resolve
-- Numbers to people, a merged record to the one that is kept, codes to places.
INSERT INTO loading.visit (person_id, place_id, came_at, left_at, span, source, seat)
SELECT coalesce(m.merged_into, i.person_id), p.place_id, s.came_at, s.left_at, visit_class(s.came_at, s.left_at),
    coalesce(k.source, 'other'), s.seat
FROM visit_staging s
JOIN identifier i ON i.value = s.personal_number AND i.kind IN ('personal_number', 'provisional')
JOIN (SELECT code, place_id FROM place UNION ALL
      SELECT a.code, a.place_id FROM place_alias a WHERE NOT EXISTS (SELECT FROM place q WHERE q.code = a.code)) p
    ON p.code = s.place
LEFT JOIN (SELECT e AS source, e::text AS name FROM unnest(enum_range(NULL::visit_source)) e) k ON k.name = s.source
LEFT JOIN (SELECT person_id, merged_into FROM person WHERE merged_into IS NOT NULL) m ON m.person_id = i.person_id
WHERE (s.left_at IS NULL OR s.left_at >= s.came_at) AND s.came_at >= '2000-01-01' AND s.came_at <= %(latest)s;

-- name: rejected
-- Rows that cannot be used, with their position in the piece, the field and why.
SELECT r.row, v.field, v.reason FROM (SELECT row_number() OVER () AS row, * FROM visit_staging) r
CROSS JOIN LATERAL (SELECT * FROM (VALUES
    ('from', 'no_time', r.came_at IS NULL),
    ('to', 'reversed_time', r.left_at < r.came_at),
    ('from', 'wrong_clock', r.came_at > %(latest)s OR r.came_at < '2000-01-01'),
    ('place', 'no_place', r.place IS NULL),
    ('personal_number', 'unknown_number', r.personal_number IS NULL OR NOT EXISTS (
        SELECT FROM identifier i WHERE i.value = r.personal_number AND i.kind IN ('personal_number', 'provisional')))
) w (field, reason, wrong) WHERE w.wrong LIMIT 1) v ORDER BY r.row;

-- name: piece_done
INSERT INTO loading.visit_piece VALUES (%(piece)s, %(rows)s, %(good)s, %(places)s);

-- name: waiting
SELECT visit_load_waiting() AS month;

-- name: take
SELECT visit_load_take(%(month)s);

-- name: taken
INSERT INTO loading.visit_taken VALUES (%(month)s, %(known)s);

-- name: counts
SELECT coalesce(sum(p.read_rows), 0)::bigint AS read, coalesce(sum(p.good_rows), 0)::bigint AS good,
    coalesce(sum(p.places), 0)::bigint AS places, (SELECT coalesce(sum(known), 0)::bigint FROM loading.visit_taken) AS known,
    (SELECT coalesce(jsonb_object_agg(reason, many), '{}') FROM (
        SELECT reason, count(*) AS many FROM loading.visit_reject GROUP BY 1) r) AS rejected,
    (SELECT count(DISTINCT noted[1]) FROM loading.visit_reject WHERE reason = 'unknown_number' AND noted[1] <> '') AS unknown
FROM loading.visit_piece p;

-- name: rejects
SELECT line, field, reason, noted FROM loading.visit_reject ORDER BY line;
