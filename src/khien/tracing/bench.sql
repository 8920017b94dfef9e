-- name: people
-- Made-up people for a measurement, four to a household, each living in one of the country's communes.
INSERT INTO person (person_id, name, name_key, birth_date, sex, home_unit, present_unit)
SELECT i, 'Người ' || i, 'nguoi ' || i, '1980-01-01', 'unknown', u.unit_id, u.unit_id
FROM generate_series(1, %(people)s) i
JOIN (SELECT unit_id, row_number() OVER () - 1 AS n, count(*) OVER () AS many FROM unit WHERE level = 3) u
    ON u.n = (i / 4) %% u.many;

-- name: numbers
INSERT INTO identifier (kind, value, person_id)
SELECT 'personal_number', '001' || lpad(i::text, 9, '0'), i FROM generate_series(1, %(people)s) i;

-- name: homes
INSERT INTO household_member (person_id, household_id, relation, valid)
SELECT i, i / 4, 'other', '[2000-01-01,)' FROM generate_series(1, %(people)s) i;

-- name: places
INSERT INTO place (code, kind) SELECT 'P' || i, CASE i %% 4 WHEN 0 THEN 'work' WHEN 1 THEN 'market' WHEN 2 THEN 'travel' ELSE 'school' END
FROM generate_series(1, %(places)s) i;

-- name: visits_to
-- 14 days of visits as a file: most up to an hour, a few of a working day; half the visits of a person near home.
COPY (
    SELECT '001' || lpad(p::text, 9, '0') AS personal_number,
        'P' || 1 + CASE WHEN v %% 2 = 0 THEN (p / 40 + v) ELSE floor(random() * {places})::bigint END %% {places} AS place,
        a AS "from", a + make_interval(mins => CASE WHEN v %% 10 = 0 THEN 480 WHEN v %% 10 < 4 THEN 90 + p %% 90 ELSE 10 + p %% 50 END) AS "to",
        'guest' AS source
    FROM generate_series(0, {visits} - 1) v
    CROSS JOIN LATERAL (
        SELECT p, timestamptz '2021-09-01 06:00+07' + make_interval(days => v * 14 / {visits}, mins => floor(random() * 840)::integer) AS a
        FROM generate_series(1, {people}) p
    ) x
) TO STDOUT (FORMAT csv, HEADER);

-- name: cases
INSERT INTO case_report (person_id, client_id, state, definition, onset_on, reported_on, reported_at)
SELECT 1 + (i * 7919) %% %(people)s, gen_random_uuid(), 'confirmed', '3638', '2021-09-13', '2021-09-14', now()
FROM generate_series(1, %(cases)s) i ON CONFLICT DO NOTHING;

-- name: reference
-- The same question written by hand for these tables: who was where a case was, and where those were afterwards.
WITH first AS (
    SELECT a.person_id AS source, b.person_id, sum(least(a.left_at, b.left_at, %(end)s) - greatest(a.came_at, b.came_at, %(start)s)) AS together,
        min(greatest(a.came_at, b.came_at, %(start)s)) AS since
    FROM visit a JOIN visit b ON b.place_id = a.place_id AND b.came_at < a.left_at AND b.left_at > a.came_at
        AND b.came_at > a.came_at - interval '24 hours' AND b.person_id <> a.person_id
    WHERE a.person_id = ANY (%(persons)s) AND a.came_at < %(end)s AND a.left_at > %(start)s
        AND b.came_at < %(end)s AND b.left_at > %(start)s
    GROUP BY 1, 2
), second AS (
    SELECT f.person_id AS source, b.person_id, sum(least(a.left_at, b.left_at) - greatest(a.came_at, b.came_at)) AS together
    FROM (SELECT person_id, min(since) + interval '48 hours' AS since FROM first GROUP BY 1) f
    JOIN visit a ON a.person_id = f.person_id AND a.left_at > f.since
    JOIN visit b ON b.place_id = a.place_id AND b.came_at < a.left_at AND b.left_at > a.came_at AND b.left_at > f.since
        AND b.came_at > a.came_at - interval '24 hours' AND b.person_id <> a.person_id
    WHERE %(depth)s > 1
    GROUP BY 1, 2
)
SELECT (SELECT count(*) FROM first) + (SELECT count(*) FROM second);

-- name: resolved
COPY (SELECT person_id, place_id, came_at, left_at, span, source, seat FROM visit) TO STDOUT;
