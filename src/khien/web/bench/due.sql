-- name: have
SELECT count(*) FROM dose WHERE product <> 'bench';

-- name: doses
-- A campaign of the second half of 2021: eight of ten people with a first dose, six with a second, one with a third.
INSERT INTO dose (person_id, client_id, product, given_on, recorded_at)
SELECT p.person_id, gen_random_uuid(), (ARRAY['astrazeneca', 'pfizer', 'moderna', 'vero_cell'])[1 + p.person_id %% 4],
       %(from)s::date + (p.person_id * 7919 %% 90)::integer
           + CASE nth WHEN 0 THEN 0 WHEN 1 THEN 28 + (p.person_id * 104729 %% 40)::integer ELSE 150 END, now()
FROM person p CROSS JOIN generate_series(0, 2) AS nth
WHERE p.person_id %% 10 < CASE nth WHEN 0 THEN 8 WHEN 1 THEN 6 ELSE 1 END AND p.birth_date < '2004-01-01';

-- name: infections
-- Every twentieth was infected in that time.
INSERT INTO health_fact (person_id, client_id, code, valid, source, recorded_at)
SELECT person_id, gen_random_uuid(), 'covid-19', daterange(%(from)s::date + (person_id * 31 %% 160)::integer, NULL), 'case', now()
FROM person WHERE person_id %% 20 = 3;

-- name: analyze
VACUUM (ANALYZE) person, dose, health_fact;

-- name: forget
-- As where nobody ever asked: all of it is derived.
TRUNCATE due.history, due_day, due_programme;

-- name: reference
-- Who is due, as somebody would write it for the plain case: adults without a dose, those whose second or third dose has
-- become due by a fixed number of days. It knows no rule of its day, no grace, no infection, no mixing.
CREATE TEMP TABLE due_by_hand AS
WITH given AS (
    SELECT d.person_id, count(*) AS doses, max(d.given_on) AS last, min(d.product) AS product FROM dose d
    WHERE d.product = ANY (%(products)s) AND d.status = 'completed' AND d.superseded_by IS NULL
      AND d.evidence <> 'declared' AND d.given_on <= %(on)s
    GROUP BY d.person_id
)
SELECT p.person_id, p.present_unit, coalesce(g.doses, 0) + 1 AS dose_number
FROM person p LEFT JOIN given g USING (person_id)
WHERE p.present_unit <@ %(area)s::int4multirange AND p.merged_into IS NULL AND p.died_on IS NULL
  AND p.birth_date <= %(on)s::date - interval '18 years'
  AND CASE coalesce(g.doses, 0) WHEN 0 THEN true
      WHEN 1 THEN g.last + CASE g.product WHEN 'astrazeneca' THEN 56 WHEN 'vero_cell' THEN 21 ELSE 28 END <= %(on)s
      WHEN 2 THEN g.last + 91 <= %(on)s ELSE false END;

-- name: count_reference
SELECT dose_number, count(*) FROM due_by_hand GROUP BY 1;

-- name: drop_reference
DROP TABLE IF EXISTS pg_temp.due_by_hand;
