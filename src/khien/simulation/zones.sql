-- The demonstration's zones: who moves, where they live, what they need. Of invented people.

-- name: any_zone
SELECT EXISTS (SELECT FROM zone);

-- name: movers
-- Grown-ups who are at home in one of these units, in an order that is the same every time.
SELECT person_id, home_unit FROM person
WHERE home_unit = ANY (%(units)s) AND present_unit = home_unit AND died_on IS NULL AND merged_into IS NULL
  AND birth_date < %(born)s AND NOT EXISTS (SELECT FROM residence r WHERE r.person_id = person.person_id AND r.kind <> 'permanent')
ORDER BY hashint8(person_id), person_id LIMIT %(many)s;

-- name: alley
-- Words of an address that many households of a unit have: a street.
SELECT regexp_replace(address, '^(Số\s+)?\S*\d\S*\s+', '') AS words FROM household WHERE unit_id = %(unit_id)s
GROUP BY 1 ORDER BY count(*) DESC, 1 OFFSET 2 LIMIT 1;

-- name: needs
-- One need of some people, by age and sex, as a hospital's list gives them.
WITH pick AS (
    SELECT p.person_id, p.sex, extract(year FROM age(%(on)s::date, p.birth_date)) AS age,
        (hashint8extended(p.person_id, 5) & 1048575) / 1048576.0 AS draw
    FROM person p WHERE p.home_unit = ANY (%(units)s) AND p.died_on IS NULL AND p.merged_into IS NULL
)
SELECT i.value AS number, CASE
    WHEN sex = 'female' AND age BETWEEN 19 AND 42 AND draw < 0.03 THEN 'pregnant'
    WHEN age >= 40 AND draw < 0.0025 THEN 'dialysis'
    WHEN age >= 60 AND draw BETWEEN 0.01 AND 0.0135 THEN 'oxygen'
    WHEN age >= 50 AND draw BETWEEN 0.1 AND 0.18 THEN 'chronic'
    WHEN draw BETWEEN 0.2 AND 0.207 THEN 'disabled' END AS kind
FROM pick JOIN identifier i USING (person_id) WHERE i.kind = 'personal_number'
  AND (sex = 'female' AND age BETWEEN 19 AND 42 AND draw < 0.03 OR age >= 40 AND draw < 0.0025
       OR age >= 60 AND draw BETWEEN 0.01 AND 0.0135 OR age >= 50 AND draw BETWEEN 0.1 AND 0.18
       OR draw BETWEEN 0.2 AND 0.207)
ORDER BY i.value;

-- name: people_of
SELECT home_unit, count(*) AS people FROM person WHERE home_unit = ANY (%(units)s) AND died_on IS NULL GROUP BY 1;

-- name: agency_of
SELECT id FROM agency WHERE code = %(code)s;

-- name: presented
-- Grown-ups of a unit with what stands on their cards, in an order that is the same every time.
SELECT i.value AS number, p.name, p.birth_date FROM person p
JOIN identifier i ON i.person_id = p.person_id AND i.kind = 'personal_number'
WHERE p.home_unit = %(unit)s AND p.died_on IS NULL AND p.merged_into IS NULL AND p.birth_date < '2003-01-01'
ORDER BY hashint8(p.person_id), p.person_id LIMIT %(many)s;
