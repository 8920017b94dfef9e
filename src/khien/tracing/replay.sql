-- name: people
-- Somebody for every line, in a commune; rolled back with the replay.
INSERT INTO person (person_id, name, name_key, birth_date, sex, home_unit, present_unit)
SELECT nextval('person_id_seq'), 'replay', 'replay', '1980-01-01', 'unknown', u.unit_id, u.unit_id
FROM (SELECT unit_id FROM unit WHERE level = 3 ORDER BY unit_id LIMIT 1) u, generate_series(1, %(many)s)
RETURNING person_id;

-- name: meet
WITH made AS (
    INSERT INTO place (code, kind) VALUES (%(code)s, %(kind)s)
    ON CONFLICT (code) DO UPDATE SET kind = excluded.kind RETURNING place_id
)
INSERT INTO visit (person_id, place_id, came_at, left_at, span, source)
SELECT p, place_id, t, t + interval '2 hours', 0, 'interview'
FROM made, unnest(%(people)s::bigint[]) p, generate_series(%(first)s::timestamptz, %(last)s, interval '1 day') t;
