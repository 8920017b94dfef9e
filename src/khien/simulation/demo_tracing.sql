-- name: has_cases
SELECT EXISTS (SELECT FROM case_report);

-- name: cases_until
SELECT person_id FROM case_report WHERE reported_on <= %(until)s AND state IN ('suspected', 'probable', 'confirmed')
ORDER BY reported_on, person_id;

-- name: first_contacts
-- One list a person, those first who are most at risk.
SELECT * FROM (
    SELECT DISTINCT ON (person_id) person_id, case_person_id, case_id, score FROM contact
    WHERE degree = 1 AND state = 'listed' ORDER BY person_id, score DESC
) c ORDER BY score DESC, person_id LIMIT %(most)s;
