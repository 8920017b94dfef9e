-- name: settle
SET timezone = 'Asia/Ho_Chi_Minh'; SET work_mem = '256MB'; SET synchronous_commit = off;
SET max_parallel_workers_per_gather = 0; SET client_connection_check_interval = '1s'; SET client_min_messages = notice;
-- A load fills more log than is kept ready: what writes a new segment full of zeros first writes the disk twice.
SELECT set_config('wal_init_zero', 'off', false) WHERE has_parameter_privilege('wal_init_zero', 'SET');

-- name: prepare
CREATE UNLOGGED TABLE loading.visit_piece (piece integer PRIMARY KEY, read_rows bigint, good_rows bigint, lines bigint);
CREATE UNLOGGED TABLE loading.visit_reject (piece integer, line bigint, field text, reason text, noted text[]);
CREATE UNLOGGED TABLE loading.visit_taken (month date PRIMARY KEY, known bigint);
CREATE UNLOGGED TABLE loading.visit_run (fingerprint text, places bigint NOT NULL DEFAULT 0);

-- name: clear
DROP TABLE IF EXISTS loading.visit_piece, loading.visit_reject, loading.visit_taken, loading.visit_run;

-- name: begin
SELECT visit_load_begin();

-- name: unfinished
-- The file a load was about that did not end. After a crash of the server these tables are empty: it starts afresh.
SELECT fingerprint FROM loading.visit_run;

-- name: begun
INSERT INTO loading.visit_run (fingerprint) VALUES (%(fingerprint)s);

-- name: pieces_done
SELECT piece FROM loading.visit_piece;

-- name: month
SELECT visit_load_month(%(month)s::date, %(seats)s);

-- name: asking
-- What a piece wants to know, of this connection alone.
CREATE TEMP TABLE visit_asked (value text);
CREATE TEMP TABLE visit_asked_time (row bigint, came text, gone text);

-- name: empty_asked
TRUNCATE visit_asked, visit_asked_time;

-- name: put_asked
COPY visit_asked FROM STDIN (FORMAT csv);

-- name: put_times
COPY visit_asked_time FROM STDIN (FORMAT csv);

-- name: answer_times
-- Microseconds since 1970; nothing for what is no time.
COPY (
    SELECT t.row, (extract(epoch FROM CASE WHEN isfinite(t.came) THEN t.came END) * 1000000)::bigint,
        (extract(epoch FROM CASE WHEN isfinite(t.gone) THEN t.gone END) * 1000000)::bigint
    FROM (SELECT a.row, CASE WHEN pg_input_is_valid(a.came, 'timestamptz') THEN a.came::timestamptz END AS came,
              CASE WHEN pg_input_is_valid(a.gone, 'timestamptz') THEN a.gone::timestamptz END AS gone
          FROM visit_asked_time a) t
) TO STDOUT (FORMAT csv);

-- name: answer_numbers
-- Numbers to people, a merged record to the one that is kept.
COPY (
    SELECT a.value, min(coalesce(m.merged_into, i.person_id))
    FROM visit_asked a LEFT JOIN identifier i ON i.value = a.value AND i.kind IN ('personal_number', 'provisional')
    LEFT JOIN (SELECT person_id, merged_into FROM person WHERE merged_into IS NOT NULL) m USING (person_id)
    GROUP BY a.value
) TO STDOUT (FORMAT csv, FORCE_QUOTE (value));

-- name: add_missing_places
-- Places that nobody described yet: kept under their code, of unknown kind. In order, so that two who add wait in turn.
WITH made AS (
    INSERT INTO place (code)
    SELECT DISTINCT a.value FROM visit_asked a
    WHERE NOT EXISTS (SELECT FROM place p WHERE p.code = a.value)
        AND NOT EXISTS (SELECT FROM place_alias o WHERE o.code = a.value)
    ORDER BY 1 ON CONFLICT (code) DO NOTHING RETURNING 1
)
UPDATE loading.visit_run SET places = places + (SELECT count(*) FROM made);

-- name: answer_places
COPY (
    SELECT a.value, coalesce(p.place_id, o.place_id)
    FROM visit_asked a LEFT JOIN place p ON p.code = a.value LEFT JOIN place_alias o ON o.code = a.value
) TO STDOUT (FORMAT csv, FORCE_QUOTE (value));

-- name: put_rejects
COPY loading.visit_reject (piece, line, field, reason, noted) FROM STDIN;

-- name: piece_done
INSERT INTO loading.visit_piece VALUES (%(piece)s, %(rows)s, %(good)s, %(lines)s);

-- name: waiting
SELECT visit_load_waiting() AS month;

-- name: keys
SELECT visit_load_keys(%(month)s);

-- name: key
SELECT visit_load_key(%(month)s, %(number)s);

-- name: take
SELECT visit_load_take(%(month)s);

-- name: taken
INSERT INTO loading.visit_taken AS t VALUES (%(month)s, %(known)s) ON CONFLICT (month) DO UPDATE SET known = t.known + excluded.known;

-- name: counts
SELECT coalesce(sum(p.read_rows), 0)::bigint AS read, coalesce(sum(p.good_rows), 0)::bigint AS good,
    (SELECT places FROM loading.visit_run) AS places, (SELECT coalesce(sum(known), 0)::bigint FROM loading.visit_taken) AS known,
    (SELECT coalesce(jsonb_object_agg(reason, many), '{}') FROM (
        SELECT reason, count(*) AS many FROM loading.visit_reject GROUP BY 1) r) AS rejected,
    (SELECT count(DISTINCT noted[1]) FROM loading.visit_reject WHERE reason = 'unknown_number' AND noted[1] <> '') AS unknown
FROM loading.visit_piece p;

-- name: rejects
-- With their line of the file, its header being the first.
SELECT 1 + p.before + r.line AS line, r.field, r.reason, r.noted
FROM loading.visit_reject r JOIN (
    SELECT piece, coalesce(sum(lines) OVER (ORDER BY piece ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::bigint AS before
    FROM loading.visit_piece) p USING (piece)
ORDER BY 1;
