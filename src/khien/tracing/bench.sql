-- name: people
-- Made-up people for a measurement, four to a household, each living in one of the country's communes.
INSERT INTO person (person_id, name, name_key, birth_date, sex, home_unit, present_unit)
SELECT i, 'Người ' || i, 'nguoi ' || i, '1980-01-01', 'unknown', u.ids[1 + (i / 4) %% cardinality(u.ids)], u.ids[1 + (i / 4) %% cardinality(u.ids)]
FROM (SELECT array_agg(unit_id ORDER BY unit_id) AS ids FROM unit WHERE level = 3) u, generate_series(1, %(people)s) i;

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
-- The same answer in the same form, written by hand for these tables: who was where a case was or lives with it, and where
-- those (of many, as many as ours follows, the most likely) were from two days later, each with exposures, time together
-- and score. No other bound.
WITH risk (kind, rate) AS (
    VALUES ('work', 0.10), ('school', 0.10), ('market', 0.08), ('travel', 0.35), ('household', 0.20)
), share AS (
    SELECT ARRAY[0.02, 0.08, 0.13, 0.17, 0.17, 0.14, 0.10, 0.07, 0.05, 0.03, 0.02, 0.01, 0.01]::float8[] AS by_day
), met AS (
    SELECT a.person_id AS source, b.person_id, p.kind, p.place_id, greatest(a.came_at, b.came_at, %(start)s) AS f,
        least(a.left_at, b.left_at, %(end)s) AS u, greatest(a.came_at, %(start)s) AS since
    FROM visit a JOIN visit b ON b.place_id = a.place_id AND b.came_at < a.left_at AND b.left_at > a.came_at
        AND b.came_at > a.came_at - interval '24 hours' AND b.person_id <> a.person_id
    JOIN place p ON p.place_id = a.place_id
    WHERE a.person_id = ANY (%(persons)s) AND a.came_at < %(end)s AND a.left_at > %(start)s
        AND b.came_at < %(end)s AND b.left_at > %(start)s
), exposure AS (
    SELECT m.source, m.person_id, m.kind, m.place_id, m.f, m.u, extract(epoch FROM m.u - m.f)::bigint AS s,
        r.rate * coalesce(share.by_day[(m.since AT TIME ZONE 'Asia/Ho_Chi_Minh')::date - %(onset)s::date + 4], 0)
            * extract(epoch FROM m.u - m.f)::float8 / 3600 AS h
    FROM met m JOIN risk r USING (kind) CROSS JOIN share WHERE m.u > m.f
    UNION ALL
    SELECT a.person_id, b.person_id, 'household', NULL, %(start)s, %(end)s,
        (extract(epoch FROM %(end)s::timestamptz - %(start)s) * 10 / 24)::bigint,
        0.20 * 10 * (SELECT sum(coalesce(share.by_day[d::date - %(onset)s::date + 4], 0))
                     FROM share, generate_series((%(start)s AT TIME ZONE 'Asia/Ho_Chi_Minh')::date,
                                                 (%(end)s AT TIME ZONE 'Asia/Ho_Chi_Minh')::date - 1, interval '1 day') d)
    FROM household_member a JOIN household_member b USING (household_id)
    WHERE a.person_id = ANY (%(persons)s) AND b.person_id <> a.person_id
), first AS (
    SELECT source, person_id, 1 - exp(-sum(h)) AS score, sum(s) AS together, min(f) AS since, max(u) AS until,
        '[' || string_agg('["' || kind || '",' || coalesce(place_id::text, 'null') || ',' || (date_part('epoch', f) * 1000000)::bigint || ','
            || (date_part('epoch', u) * 1000000)::bigint || ',' || s || ']', ',' ORDER BY h DESC, f) || ']' AS exposures
    FROM exposure GROUP BY 1, 2
), begins AS (
    SELECT b.* FROM (
        SELECT DISTINCT ON (person_id) person_id, source AS of_case, score,
            min(since) OVER (PARTITION BY person_id) + interval '48 hours' AS since
        FROM first WHERE %(depth)s > 1 AND person_id <> ALL (%(persons)s) ORDER BY person_id, score DESC, source
    ) b ORDER BY b.score DESC, b.person_id LIMIT %(most)s
), met2 AS (
    SELECT f.person_id AS source, b.person_id, p.kind, p.place_id, greatest(a.came_at, b.came_at, f.since) AS f,
        least(a.left_at, b.left_at, %(moment)s) AS u
    FROM begins f
    JOIN visit a ON a.person_id = f.person_id AND a.left_at > f.since AND a.came_at > f.since - interval '24 hours'
        AND a.came_at < %(moment)s
    JOIN visit b ON b.place_id = a.place_id AND b.came_at < a.left_at AND b.left_at > a.came_at AND b.left_at > f.since
        AND b.came_at > a.came_at - interval '24 hours' AND b.person_id <> a.person_id AND b.came_at < %(moment)s
    JOIN place p ON p.place_id = a.place_id
), exposure2 AS (
    SELECT m.source, m.person_id, m.kind, m.place_id, m.f, m.u, extract(epoch FROM m.u - m.f)::bigint AS s,
        r.rate * 0.08 * extract(epoch FROM m.u - m.f)::float8 / 3600 AS h
    FROM met2 m JOIN risk r USING (kind) WHERE m.u > m.f
    UNION ALL
    SELECT f.person_id, b.person_id, 'household', NULL, f.since, %(moment)s,
        (extract(epoch FROM %(moment)s - f.since) * 10 / 24)::bigint,
        0.20 * 10 / 24 * 0.08 * extract(epoch FROM %(moment)s - f.since)::float8 / 3600
    FROM begins f JOIN household_member a ON a.person_id = f.person_id JOIN household_member b USING (household_id)
    WHERE b.person_id <> a.person_id AND f.since < %(moment)s
), second AS (
    SELECT source, person_id, 1 - exp(-sum(h)) AS score, sum(s) AS together, min(f) AS since, max(u) AS until,
        '[' || string_agg('["' || kind || '",' || coalesce(place_id::text, 'null') || ',' || (date_part('epoch', f) * 1000000)::bigint || ','
            || (date_part('epoch', u) * 1000000)::bigint || ',' || s || ']', ',' ORDER BY h DESC, f) || ']' AS exposures
    FROM exposure2 WHERE person_id <> ALL (%(persons)s) AND person_id NOT IN (SELECT person_id FROM first) GROUP BY 1, 2
)
SELECT * FROM (
    SELECT 1 AS degree, source AS of_case, NULL AS via, person_id, score, together, date_part('epoch', since),
        date_part('epoch', until), exposures
    FROM first
    UNION ALL
    SELECT 2, s.* FROM (
        SELECT DISTINCT ON (b.of_case, s.person_id) b.of_case, s.source, s.person_id, s.score, s.together,
            date_part('epoch', s.since), date_part('epoch', s.until), s.exposures
        FROM second s JOIN begins b ON b.person_id = s.source ORDER BY b.of_case, s.person_id, s.score DESC, s.source
    ) s
) found ORDER BY degree, score DESC, person_id;

-- name: resolved
COPY (SELECT person_id, place_id, came_at, left_at, span, source, seat FROM visit) TO STDOUT;
