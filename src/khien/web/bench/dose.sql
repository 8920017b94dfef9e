-- name: prepare
-- People to vaccinate, numbered; the reference looks one up by its number as a desk would by a card.
CREATE SCHEMA IF NOT EXISTS bench;
DROP TABLE IF EXISTS bench.dose_person;
CREATE TABLE bench.dose_person AS
SELECT row_number() OVER () AS n, person_id FROM person
WHERE died_on IS NULL AND merged_into IS NULL AND birth_date < '2000-01-01' LIMIT 200000;
ALTER TABLE bench.dose_person ADD PRIMARY KEY (n);
ANALYZE bench.dose_person;
GRANT USAGE ON SCHEMA bench TO khien_app;
GRANT SELECT ON bench.dose_person TO khien_app;

-- name: people
SELECT person_id FROM bench.dose_person ORDER BY n;

-- name: tidy
DROP SCHEMA IF EXISTS bench CASCADE;
