-- name: person_exists
SELECT true FROM person WHERE person_id = %(person_id)s AND merged_into IS NULL;

-- name: insert_fact
INSERT INTO health_fact (person_id, client_id, code, valid, source, recorded_by, recorded_at)
VALUES (%(person_id)s, %(client_id)s, %(code)s, daterange(%(since)s::date, %(until)s::date), %(source)s, %(by)s, %(now)s)
ON CONFLICT (person_id, client_id) DO NOTHING RETURNING fact_id;

-- name: put_infection
-- Told again of the same case, it moves with its first day; one that was taken back stays so.
INSERT INTO health_fact AS f (person_id, client_id, code, valid, source, recorded_by, recorded_at)
VALUES (%(person_id)s, %(client_id)s, %(code)s, daterange(%(since)s::date, NULL), 'case', %(by)s, %(now)s)
ON CONFLICT (person_id, client_id) DO UPDATE
SET valid = daterange(lower(excluded.valid), CASE WHEN upper(f.valid) > lower(excluded.valid) THEN upper(f.valid) END)
WHERE lower(f.valid) <> lower(excluded.valid)
RETURNING fact_id;

-- name: withdraw_infection
UPDATE health_fact SET valid = 'empty'
WHERE person_id = %(person_id)s AND client_id = %(client_id)s AND NOT isempty(valid) RETURNING fact_id;

-- name: fact_exists
SELECT true FROM health_fact WHERE person_id = %(person_id)s AND fact_id = %(fact_id)s;

-- name: end_fact
UPDATE health_fact SET valid = daterange(lower(valid), greatest(%(on)s, lower(valid) + 1))
WHERE person_id = %(person_id)s AND fact_id = %(fact_id)s AND (upper_inf(valid) OR upper(valid) > %(on)s);

-- name: facts
SELECT fact_id, code, lower(valid) AS since, upper(valid) AS until, source, recorded_at, valid @> %(on)s::date AS holds,
       isempty(valid) AS withdrawn
FROM health_fact WHERE person_id = %(person_id)s ORDER BY lower(valid) DESC NULLS LAST, fact_id DESC;

-- name: set_contact
-- An empty value takes the place of the old one: nothing about a person is deleted.
INSERT INTO contact_point (person_id, system, value)
SELECT %(person_id)s, %(system)s, %(value)s
WHERE %(value)s <> '' OR EXISTS (SELECT FROM contact_point c WHERE c.person_id = %(person_id)s AND c.system = %(system)s)
ON CONFLICT (person_id, system) DO UPDATE SET value = excluded.value;

-- name: contact
SELECT system, value FROM contact_point WHERE person_id = %(person_id)s AND value <> '';

-- name: set_priorities
INSERT INTO person_priority (person_id, programme, group_number, source)
SELECT p.person_id, %(programme)s, %(group_number)s, %(source)s FROM person p WHERE p.person_id = ANY (%(people)s)
ON CONFLICT (person_id, programme) DO UPDATE SET group_number = excluded.group_number, source = excluded.source
RETURNING person_id;

-- name: people_by_number
-- Of the actor's area only: policies leave out the others.
SELECT DISTINCT i.value, coalesce(p.merged_into, p.person_id) AS person_id FROM identifier i JOIN person p USING (person_id)
WHERE i.value = ANY (%(numbers)s) AND upper_inf(i.valid);

-- name: priority_counts
-- How many people of the actor's area lists have put into each group.
SELECT r.group_number, count(*) AS people FROM person_priority r JOIN person p USING (person_id)
WHERE r.programme = %(programme)s GROUP BY 1 ORDER BY 1;

-- name: priorities
SELECT programme, group_number, source FROM person_priority WHERE person_id = %(person_id)s;
