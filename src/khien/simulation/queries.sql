-- name: has_people
SELECT EXISTS (SELECT FROM person);

-- name: people_for_campaign
SELECT person_id, birth_date, home_unit, died_on FROM person WHERE home_unit = ANY(%(units)s) ORDER BY person_id;

-- name: count_doses
SELECT count(*) FROM dose;

-- name: set_demo_day
UPDATE clock SET demo_on = %(day)s;
