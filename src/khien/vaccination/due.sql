-- name: days_with_doses
-- Days on which doses of these vaccines were given: with the day that is asked about, the days on which an age counts.
SELECT DISTINCT given_on FROM dose WHERE product = ANY (%(products)s) AND given_on <= %(on)s;

-- name: drop_due
DROP TABLE IF EXISTS pg_temp.due_person, pg_temp.due_group;

-- name: sort_people
-- Each living person present in the area, with the kind of people he or she is of: history, sex, and between which
-- limits of age. A history is one number a dose (rules/due.py); 719163 days lie between the two calendars' beginnings.
CREATE TEMP TABLE due_person ON COMMIT DROP AS
WITH taken AS (
    SELECT d.person_id,
           array_agg(((d.given_on - date '1970-01-01') + 719163) * 1024::bigint + v.place * 2 + d.substandard::int
                     ORDER BY d.given_on, d.dose_id) AS history
    FROM dose d JOIN unnest(%(products)s::text[], %(places)s::int[]) AS v (product, place) USING (product)
    WHERE d.status = 'completed' AND d.superseded_by IS NULL AND d.evidence <> 'declared' AND d.given_on <= %(on)s
    GROUP BY d.person_id
)
SELECT p.person_id, p.birth_date, p.sex, coalesce(t.history, '{}') AS history,
       hash_array_extended(coalesce(t.history, '{}') || width_bucket(p.birth_date, %(births)s::date[])::bigint
                           || ascii(p.sex)::bigint, 1) AS kind
FROM person p LEFT JOIN taken t USING (person_id)
WHERE p.present_unit <@ %(area)s::int4multirange AND p.merged_into IS NULL AND p.died_on IS NULL
  AND p.birth_date <= %(on)s
  AND NOT EXISTS (SELECT FROM health_fact f WHERE f.person_id = p.person_id AND f.valid @> %(on)s::date);

-- name: kinds
SELECT kind, min(birth_date) AS birth_date, min(sex) AS sex, min(history) AS history, count(*) AS people
FROM due_person GROUP BY kind;

-- name: people_with_facts
-- Those about whom more is known than age, sex and doses: each is judged alone.
SELECT p.person_id, p.birth_date, p.sex,
       coalesce((SELECT array_agg(((d.given_on - date '1970-01-01') + 719163) * 1024::bigint + v.place * 2
                                  + d.substandard::int ORDER BY d.given_on, d.dose_id)
                 FROM dose d JOIN unnest(%(products)s::text[], %(places)s::int[]) AS v (product, place) USING (product)
                 WHERE d.person_id = p.person_id AND d.status = 'completed' AND d.superseded_by IS NULL
                   AND d.evidence <> 'declared' AND d.given_on <= %(on)s), '{}') AS history,
       array_agg(f.code ORDER BY f.code, f.valid) AS codes,
       array_agg(lower(f.valid) ORDER BY f.code, f.valid) AS since
FROM person p JOIN health_fact f ON f.person_id = p.person_id AND f.valid @> %(on)s::date
WHERE p.present_unit <@ %(area)s::int4multirange AND p.merged_into IS NULL AND p.died_on IS NULL
  AND p.birth_date <= %(on)s
GROUP BY p.person_id;

-- name: add_people
-- Those judged alone are each a kind of their own: the negative of the person's number cannot be a hash of the others
-- except by a chance of one in 2^40 or less.
INSERT INTO due_person (person_id, birth_date, sex, history, kind)
SELECT person_id, birth_date, sex, '{}', -person_id FROM person WHERE person_id = ANY (%(people)s);

-- name: due_groups
CREATE TEMP TABLE due_group (
    kind bigint NOT NULL, vaccine_group text NOT NULL, dose_number int, dose_kind text NOT NULL, vaccines text[] NOT NULL,
    past_due boolean NOT NULL, PRIMARY KEY (kind, vaccine_group)
) ON COMMIT DROP;

-- name: add_due
INSERT INTO due_group
SELECT kind, vaccine_group, dose_number, dose_kind, string_to_array(vaccines, ' '), past_due
FROM unnest(%(kind)s::bigint[], %(vaccine_group)s::text[], %(dose_number)s::int[], %(dose_kind)s::text[],
            %(vaccines)s::text[], %(past_due)s::bool[])
     AS t (kind, vaccine_group, dose_number, dose_kind, vaccines, past_due);

-- name: count_due
SELECT g.vaccine_group, g.dose_kind, g.dose_number, count(*) AS people, count(*) FILTER (WHERE g.past_due) AS past_due
FROM due_person d JOIN due_group g USING (kind) GROUP BY 1, 2, 3 ORDER BY 1, 3;

-- name: due_people
SELECT d.person_id, g.vaccine_group, g.dose_number, g.dose_kind, g.vaccines, g.past_due
FROM due_person d JOIN due_group g USING (kind) ORDER BY d.person_id, g.vaccine_group;
