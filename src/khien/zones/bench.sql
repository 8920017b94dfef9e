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

-- name: analyze
ANALYZE passage, dose, case_count, residence, person;

-- name: communes
-- Communes of residence, the largest first.
SELECT home_unit AS unit_id, count(*) AS people FROM person GROUP BY home_unit ORDER BY 2 DESC, 1;

-- name: some_people
SELECT person_id FROM person WHERE person_id %% greatest(%(size)s::bigint / %(wanted)s, 1) = 0 LIMIT %(wanted)s;

-- name: everybody
-- Ours: where the register says everybody is.
SELECT count(*) AS people, sum(unit_id::bigint) AS units FROM zone_register_place(NULL, ARRAY[%(on)s::date]);

-- name: everybody_by_hand
-- The reference, written by hand for exactly this: the best spell of the day that the person is not absent from, else the
-- best one, else the one that ended last. Without certainty and reason.
SELECT count(*) AS people, sum(unit_id::bigint) AS units FROM (
    SELECT DISTINCT ON (p.person_id) p.person_id, r.unit_id
    FROM person p LEFT JOIN residence r ON r.person_id = p.person_id AND r.kind <> 'absence'
        AND coalesce(lower(r.valid), '-infinity') <= %(on)s::date
    LEFT JOIN residence a ON a.person_id = r.person_id AND a.kind = 'absence' AND a.unit_id = r.unit_id
        AND a.valid @> %(on)s::date
    ORDER BY p.person_id, r.valid @> %(on)s::date DESC, a.person_id IS NOT NULL,
        CASE WHEN r.valid @> %(on)s::date THEN CASE r.kind WHEN 'stay' THEN 1 WHEN 'temporary' THEN 2 ELSE 3 END END,
        upper(r.valid) DESC NULLS FIRST, lower(r.valid) DESC
) placed;
