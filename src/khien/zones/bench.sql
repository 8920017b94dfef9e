-- name: people
SELECT count(*) FROM person;

-- name: has_doses
SELECT EXISTS (SELECT FROM dose);

-- name: passages
SELECT count(*) FROM passage;

-- name: months
SELECT khien_months('passage', %(first)s::date, %(last)s::date + 31);

-- name: references
SELECT format('ALTER TABLE passage DROP CONSTRAINT %I', conname) AS drop,
    format('ALTER TABLE passage ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) AS add
FROM pg_constraint WHERE conrelid = 'passage'::regclass AND contype = 'f' AND conparentid = 0;

-- name: add_checkpoint
INSERT INTO checkpoint (code, name, unit_id) SELECT 'BENCH', 'Bench', min(home_unit) FROM person ON CONFLICT DO NOTHING;

-- name: add_passages
-- Made-up passages over sixty days: mostly back into the own commune, each eighth into another's.
INSERT INTO passage (person_id, passed_at, client_id, checkpoint_id, unit_id, direction, from_unit, to_unit, checked, recorded_at)
SELECT p.person_id, a.at, gen_random_uuid(), c.checkpoint_id, c.unit_id, 'in', p.home_unit,
    CASE WHEN a.n %% 8 = 0 THEN o.home_unit ELSE p.home_unit END, 'kit', a.at
FROM (
    SELECT n, 1 + (n * 7919) %% %(people)s AS person, 1 + (n * 104729) %% %(people)s AS other,
        %(moment)s::timestamptz - make_interval(secs => (n * 1013904223) %% 5184000) AS at
    FROM generate_series(%(have)s::bigint + 1, %(passages)s::bigint) n
) a
JOIN (SELECT person_id, home_unit, row_number() OVER (ORDER BY person_id) AS nth FROM person) p ON p.nth = a.person
JOIN (SELECT home_unit, row_number() OVER (ORDER BY person_id) AS nth FROM person) o ON o.nth = a.other
CROSS JOIN (SELECT checkpoint_id, unit_id FROM checkpoint WHERE code = 'BENCH') c;

-- name: add_product
INSERT INTO vaccine_product (product, name, disease, licensed_on, primary_doses)
VALUES ('bench', 'Bench', 'covid-19', '2021-01-01', 2) ON CONFLICT DO NOTHING;

-- name: add_doses
-- Two doses for seven people of ten.
INSERT INTO dose (person_id, client_id, product, given_on, recorded_at)
SELECT person_id, gen_random_uuid(), 'bench', %(on)s::date - 60 + (nth * 28)::integer, now()
FROM person CROSS JOIN generate_series(0, 1) nth WHERE person_id %% 10 < 7;

-- name: add_cases
INSERT INTO case_count (unit_id, reported_on, cases, source)
SELECT u.unit_id, d::date, (u.unit_id %% 5), 'bench'
FROM unit u CROSS JOIN generate_series(%(on)s::date - 34, %(on)s::date, interval '1 day') d
WHERE u.level = 3 AND u.valid @> %(on)s::date ON CONFLICT DO NOTHING;

-- name: add_stays
-- One person of fifty stays somewhere else for ten days of the last weeks, so that somebody comes and goes.
INSERT INTO residence (person_id, kind, unit_id, valid, source)
SELECT p.person_id, 'stay', o.home_unit, daterange(p.first_day, p.first_day + 10), 'bench'
FROM (SELECT person_id, %(on)s::date - 25 + (person_id / 50 %% 26)::integer AS first_day FROM person WHERE person_id %% 50 = 0) p
JOIN person o ON o.person_id = p.person_id + 17
WHERE NOT EXISTS (SELECT FROM residence r WHERE r.source = 'bench');

-- name: analyze
ANALYZE passage, dose, case_count, residence, person;

-- name: communes
-- Communes of residence, the largest first.
SELECT home_unit AS unit_id, count(*) AS people FROM person GROUP BY home_unit ORDER BY 2 DESC, 1;

-- name: some_people
SELECT person_id FROM person WHERE person_id %% greatest(%(size)s::bigint / %(wanted)s, 1) = 0 LIMIT %(wanted)s;

-- name: everybody
-- Ours: where the register says everybody is, with its certainty and reason.
SELECT count(*) AS people, sum(unit_id::bigint) AS units, sum(since - '1900-01-01'::date) AS days,
    count(*) FILTER (WHERE certainty = 'registered') AS registered, count(*) FILTER (WHERE reason = 'permanent') AS permanent
FROM zone_register_place(NULL, ARRAY[%(on)s::date]);

-- name: everybody_by_hand
-- The reference, written by hand for exactly this: one join a kind of residence, the rule spelled out.
SELECT count(*) AS people, sum(unit_id::bigint) AS units, sum(since - '1900-01-01'::date) AS days,
    count(*) FILTER (WHERE certainty = 'registered') AS registered, count(*) FILTER (WHERE reason = 'permanent') AS permanent
FROM (
    SELECT p.person_id,
        CASE WHEN s.unit_id <> a.unit_id OR s.unit_id IS NOT NULL AND a.unit_id IS NULL THEN s.unit_id
             WHEN t.unit_id <> a.unit_id OR t.unit_id IS NOT NULL AND a.unit_id IS NULL THEN t.unit_id
             WHEN h.unit_id <> a.unit_id OR h.unit_id IS NOT NULL AND a.unit_id IS NULL THEN h.unit_id
             WHEN s.unit_id IS NOT NULL OR t.unit_id IS NOT NULL OR h.unit_id IS NOT NULL
                THEN coalesce(s.unit_id, t.unit_id, h.unit_id)
             ELSE (SELECT r.unit_id FROM residence r WHERE r.person_id = p.person_id AND r.kind <> 'absence'
                   AND lower(r.valid) <= %(on)s::date ORDER BY upper(r.valid) DESC NULLS FIRST LIMIT 1) END AS unit_id,
        CASE WHEN s.unit_id <> a.unit_id OR s.unit_id IS NOT NULL AND a.unit_id IS NULL THEN 'registered'
             WHEN t.unit_id <> a.unit_id OR t.unit_id IS NOT NULL AND a.unit_id IS NULL
                THEN CASE WHEN s.unit_id IS NULL THEN 'registered' ELSE 'presumed' END
             WHEN h.unit_id <> a.unit_id OR h.unit_id IS NOT NULL AND a.unit_id IS NULL
                THEN CASE WHEN s.unit_id IS NULL AND t.unit_id IS NULL THEN 'registered' ELSE 'presumed' END
             WHEN coalesce(s.unit_id, t.unit_id, h.unit_id) IS NULL THEN 'presumed' ELSE 'unknown' END AS certainty,
        CASE WHEN s.unit_id <> a.unit_id OR s.unit_id IS NOT NULL AND a.unit_id IS NULL THEN 'stay'
             WHEN t.unit_id <> a.unit_id OR t.unit_id IS NOT NULL AND a.unit_id IS NULL THEN 'temporary'
             WHEN h.unit_id <> a.unit_id OR h.unit_id IS NOT NULL AND a.unit_id IS NULL THEN 'permanent'
             WHEN coalesce(s.unit_id, t.unit_id, h.unit_id) IS NULL THEN 'last_known' ELSE 'absent' END AS reason,
        lower(CASE WHEN s.unit_id <> a.unit_id OR s.unit_id IS NOT NULL AND a.unit_id IS NULL THEN s.valid
             WHEN t.unit_id <> a.unit_id OR t.unit_id IS NOT NULL AND a.unit_id IS NULL THEN t.valid
             WHEN h.unit_id <> a.unit_id OR h.unit_id IS NOT NULL AND a.unit_id IS NULL THEN h.valid
             ELSE coalesce(s.valid, t.valid, h.valid, (
                SELECT r.valid FROM residence r WHERE r.person_id = p.person_id AND r.kind <> 'absence'
                AND lower(r.valid) <= %(on)s::date ORDER BY upper(r.valid) DESC NULLS FIRST LIMIT 1)) END) AS since
    FROM person p
    LEFT JOIN residence s ON s.person_id = p.person_id AND s.kind = 'stay' AND s.valid @> %(on)s::date
    LEFT JOIN residence t ON t.person_id = p.person_id AND t.kind = 'temporary' AND t.valid @> %(on)s::date
    LEFT JOIN residence h ON h.person_id = p.person_id AND h.kind = 'permanent' AND h.valid @> %(on)s::date
    LEFT JOIN residence a ON a.person_id = p.person_id AND a.kind = 'absence' AND a.valid @> %(on)s::date
) placed;
