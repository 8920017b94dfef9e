-- name: unstage_places
DROP TABLE IF EXISTS visit_place_staging;

-- name: stage_places
CREATE TEMP TABLE visit_place_staging (
    place text, kind text, name text, commune text, floor_area integer, ventilation text
) ON COMMIT DROP;

-- name: merge_places
INSERT INTO place (code, kind, name, unit_id, floor_area, ventilation)
SELECT DISTINCT ON (s.place) s.place, coalesce(s.kind, 'unknown'), coalesce(s.name, ''), u.unit_id, nullif(s.floor_area, 0),
    CASE WHEN s.ventilation IN ('open', 'natural', 'mechanical', 'closed') THEN s.ventilation ELSE 'unknown' END
FROM visit_place_staging s LEFT JOIN LATERAL (
    SELECT unit_id FROM unit WHERE level = 3 AND code = s.commune ORDER BY valid @> %(today)s::date DESC, unit_id LIMIT 1
) u ON true
WHERE s.place IS NOT NULL AND coalesce(s.floor_area, 0) >= 0
ON CONFLICT (code) DO UPDATE SET kind = excluded.kind, name = excluded.name, unit_id = excluded.unit_id,
    floor_area = excluded.floor_area, ventilation = excluded.ventilation;

-- name: expire_visits
SELECT partition, visits FROM visit_expire(%(before)s::date);

-- name: add_case
INSERT INTO case_report (person_id, client_id, disease, state, definition, onset_on, sampled_on, reported_on, isolated_at,
    variant, source, reported_by, reported_at)
VALUES (%(person_id)s, %(client_id)s, %(disease)s, %(state)s, %(definition)s, %(onset_on)s, %(sampled_on)s,
    %(reported_on)s, %(isolated_at)s, %(variant)s, %(source)s, %(account)s, %(now)s)
ON CONFLICT (person_id, client_id) DO NOTHING RETURNING case_id;

-- name: case_of_message
SELECT case_id FROM case_report WHERE person_id = %(person_id)s AND client_id = %(client_id)s;

-- name: open_case
-- The newest open case of a person.
SELECT * FROM case_report
WHERE person_id = %(person_id)s AND state IN ('suspected', 'probable', 'confirmed')
ORDER BY reported_on DESC, case_id DESC LIMIT 1;

-- name: open_cases_of
SELECT DISTINCT ON (person_id) * FROM case_report
WHERE person_id = ANY (%(persons)s) AND state IN ('suspected', 'probable', 'confirmed')
ORDER BY person_id, reported_on DESC, case_id DESC;

-- name: case
SELECT c.*, p.name, p.birth_date, p.sex, p.present_unit, u.name AS unit_name
FROM case_report c JOIN person p USING (person_id) JOIN unit u ON u.unit_id = p.present_unit
WHERE c.person_id = %(person_id)s AND c.case_id = %(case_id)s;

-- name: lock_case
SELECT * FROM case_report WHERE person_id = %(person_id)s AND case_id = %(case_id)s FOR UPDATE;

-- name: set_case
UPDATE case_report SET state = %(state)s, ended_on = %(ended_on)s, onset_on = coalesce(%(onset_on)s, onset_on),
    sampled_on = coalesce(%(sampled_on)s, sampled_on), isolated_at = coalesce(%(isolated_at)s, isolated_at)
WHERE person_id = %(person_id)s AND case_id = %(case_id)s;

-- name: cases
-- Cases of the actor's area, newest first, with how many contacts each has.
SELECT c.person_id, c.case_id, c.state, c.disease, c.onset_on, c.sampled_on, c.reported_on, c.source, c.variant, p.name,
    p.birth_date, p.sex, u.name AS unit_name,
    (SELECT count(*) FROM contact k WHERE k.case_person_id = c.person_id AND k.case_id = c.case_id
     AND k.degree = 1 AND k.state <> 'withdrawn') AS contacts
FROM case_report c JOIN person p USING (person_id) JOIN unit u ON u.unit_id = p.present_unit
WHERE (%(state)s::text IS NULL OR c.state = %(state)s)
ORDER BY c.reported_on DESC, c.case_id DESC LIMIT %(page)s OFFSET %(offset)s;

-- name: count_cases
SELECT count(*) FROM case_report c WHERE %(state)s::text IS NULL OR c.state = %(state)s;

-- name: numbers_to_people
SELECT n.row, coalesce(m.merged_into, i.person_id) AS person_id
FROM unnest(%(numbers)s::text[]) WITH ORDINALITY AS n (value, row)
LEFT JOIN identifier i ON i.value = n.value AND i.kind IN ('personal_number', 'provisional')
LEFT JOIN person m ON m.person_id = i.person_id AND m.merged_into IS NOT NULL
ORDER BY n.row;

-- name: trace
-- By columns, one row a degree and case (found.py). Times as numbers; exposures of one after the other's, a character that no
-- JSON has between them.
SELECT degree, case_person_id, array_agg(coalesce(via_person_id, 0)), array_agg(coalesce(person_id, 0)),
    array_agg(coalesce(score, 0)), array_agg(coalesce(seconds, 0)), array_agg(coalesce(date_part('epoch', first_at), 0)),
    array_agg(coalesce(date_part('epoch', last_at), 0)), string_agg(exposures, chr(31))
FROM trace_contacts(%(persons)s::bigint[], %(cases)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[],
    %(onsets)s::date[], %(moment)s::timestamptz, %(depth)s::integer, %(rule)s::jsonb, %(keep)s::text,
    %(half)s::integer)
GROUP BY degree, case_person_id;

-- name: place_names
SELECT p.place_id, p.code, p.kind, p.name, u.name AS unit_name FROM place p LEFT JOIN unit u USING (unit_id)
WHERE p.place_id = ANY (%(places)s);

-- name: event
INSERT INTO tracing_event (person_id, subject, case_person_id, case_id, before, after, reason, account_id, at)
VALUES (%(person_id)s, %(subject)s, %(case_person_id)s, %(case_id)s, %(before)s, %(after)s, %(reason)s, %(account)s, %(now)s);

-- name: contact_became_case
-- Somebody on the list fell ill: the list says so, and any isolation as a contact ends.
UPDATE contact SET state = 'case' WHERE person_id = %(person_id)s AND state NOT IN ('case', 'withdrawn')
RETURNING case_person_id, case_id, degree;

-- name: end_isolation
UPDATE isolation_order SET ended_on = %(on)s, end_reason = %(reason)s
WHERE person_id = %(person_id)s AND ended_on IS NULL RETURNING isolation_id, case_person_id, case_id;

-- name: withdraw
SELECT trace_withdraw(%(person_id)s, %(case_id)s, %(on)s::date);

-- name: contacts_of_case
-- Contacts of one case whom the actor may see, F1 first, by risk.
SELECT k.person_id, k.degree, k.via_person_id, k.score, k.seconds, k.first_at, k.last_at, k.exposures, k.state, k.rule,
    p.name, p.birth_date, p.sex, u.name AS unit_name
FROM contact k JOIN person p USING (person_id) JOIN unit u ON u.unit_id = p.present_unit
WHERE k.case_person_id = %(person_id)s AND k.case_id = %(case_id)s AND k.state <> 'withdrawn'
ORDER BY k.degree, k.score DESC, k.person_id LIMIT %(page)s OFFSET %(offset)s;

-- name: contact_counts
-- How many contacts a case has, by degree and commune, also where the actor may not see who they are.
SELECT degree, unit_id, contacts FROM trace_counts(%(person_id)s, %(case_id)s);

-- name: work_list
-- People of the area who still need something, once each, the most at risk first.
SELECT * FROM (
    SELECT DISTINCT ON (k.person_id) k.person_id, k.case_person_id, k.case_id, k.degree, k.score, k.state, k.last_at,
        p.name, p.birth_date, p.sex, u.name AS unit_name, i.days AS isolation, i.tests,
        (SELECT c.value FROM contact_point c WHERE c.person_id = k.person_id AND c.system = 'phone') AS phone,
        (SELECT max(s.noted_at) FROM symptom_entry s WHERE s.person_id = k.person_id) AS diary_at,
        EXISTS (SELECT FROM symptom_entry s WHERE s.person_id = k.person_id AND s.alarming AND s.seen_at IS NULL) AS alarming
    FROM contact k JOIN person p USING (person_id) JOIN unit u ON u.unit_id = p.present_unit
    LEFT JOIN isolation_order i ON i.person_id = k.person_id AND i.ended_on IS NULL
    WHERE k.state = ANY (%(states)s) AND k.degree <= %(depth)s AND p.died_on IS NULL
      AND p.present_unit <@ khien_area()
    ORDER BY k.person_id, k.degree, k.score DESC
) w ORDER BY w.alarming DESC, w.degree, w.score DESC, w.person_id LIMIT %(page)s OFFSET %(offset)s;

-- name: count_work
SELECT k.state, count(DISTINCT k.person_id) AS people
FROM contact k JOIN person p USING (person_id)
WHERE k.state = ANY (%(states)s) AND k.degree <= %(depth)s AND p.died_on IS NULL AND p.present_unit <@ khien_area()
GROUP BY k.state;

-- name: lock_contact
SELECT * FROM contact WHERE person_id = %(person_id)s AND case_person_id = %(case_person_id)s AND case_id = %(case_id)s
FOR UPDATE;

-- name: set_contact
-- A call or a visit reaches the person, not one of several lists they stand on.
UPDATE contact SET state = %(state)s
WHERE person_id = %(person_id)s AND state = ANY (%(open)s) AND degree = %(degree)s;

-- name: protection
-- Day of the dose that completed the primary series, and day of the last recovery.
SELECT (SELECT max(d.given_on) FROM (
            SELECT d.given_on, row_number() OVER (PARTITION BY v.disease ORDER BY d.given_on, d.dose_id) AS n, v.primary_doses
            FROM dose d JOIN vaccine_product v USING (product)
            WHERE d.person_id = %(person_id)s AND d.counts AND d.superseded_by IS NULL AND d.status = 'completed'
              AND v.disease = %(disease)s
        ) d WHERE d.n >= d.primary_doses) AS series_complete_on,
    (SELECT max(c.ended_on) FROM case_report c WHERE c.person_id = %(person_id)s AND c.state = 'recovered'
     AND c.disease = %(disease)s) AS recovered_on;

-- name: add_isolation
INSERT INTO isolation_order (person_id, case_person_id, case_id, place, days, watch_until, tests, rule, ordered_by, ordered_at)
VALUES (%(person_id)s, %(case_person_id)s, %(case_id)s, %(place)s, daterange(%(first)s::date, %(until)s::date),
    %(watch_until)s, %(tests)s, %(rule)s, %(account)s, %(now)s)
ON CONFLICT (person_id) WHERE ended_on IS NULL DO NOTHING RETURNING isolation_id;

-- name: open_isolation
SELECT * FROM isolation_order WHERE person_id = %(person_id)s AND ended_on IS NULL;

-- name: due_isolation
-- Orders whose last day is over.
SELECT person_id, isolation_id, case_person_id, case_id FROM isolation_order
WHERE ended_on IS NULL AND upper(days) <= %(today)s::date ORDER BY person_id FOR UPDATE;

-- name: release
UPDATE isolation_order SET ended_on = %(on)s, end_reason = 'released'
WHERE ended_on IS NULL AND person_id = ANY (%(persons)s);

-- name: release_contacts
UPDATE contact SET state = 'released' WHERE person_id = ANY (%(persons)s) AND state = ANY (%(open)s) AND degree = 1;

-- name: breaches
-- Isolated people who were seen at a checkpoint meanwhile: they passed it, or were checked there.
SELECT s.person_id, s.at, i.days, i.place, p.name, u.name AS unit_name, seen.name AS seen_unit, s.passed
FROM isolation_order i JOIN LATERAL (
    SELECT a.person_id, a.passed_at AS at, a.unit_id, true AS passed FROM passage a WHERE a.person_id = i.person_id
    UNION ALL
    SELECT l.person_id, l.at + coalesce(%(shift)s::interval, '0'), c.unit_id, false
    FROM access_log l LEFT JOIN checkpoint c ON c.checkpoint_id = (l.detail ->> 'checkpoint')::integer
    WHERE l.person_id = i.person_id AND l.action = 'identity.check'
) s ON s.at >= lower(i.days)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh' AND s.at > i.ordered_at
    AND s.at < coalesce(i.ended_on, upper(i.days))::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh'
JOIN person p ON p.person_id = i.person_id JOIN unit u ON u.unit_id = p.present_unit
LEFT JOIN unit seen ON seen.unit_id = s.unit_id
WHERE s.at >= %(since)s AND coalesce(i.ended_on, upper(i.days)) >= (%(since)s AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
ORDER BY s.at DESC LIMIT 200;

-- name: clock_shift
-- How far the day decisions are taken on is from the wall clock, by which the log is kept.
SELECT (%(now)s::timestamptz - now())::interval;

-- name: contact_of
-- The list on which somebody stands as an F1 who is still followed, the riskiest.
SELECT case_person_id, case_id, score, state FROM contact
WHERE person_id = %(person_id)s AND degree = 1 AND state = ANY (%(states)s) ORDER BY score DESC LIMIT 1;

-- name: isolated
-- Open orders of the area, those first that end first.
SELECT i.person_id, i.isolation_id, i.case_id, i.place, i.days, i.watch_until, i.tests, i.rule, i.ordered_at, p.name, p.birth_date,
    u.name AS unit_name, upper(i.days) <= %(today)s::date AS due
FROM isolation_order i JOIN person p USING (person_id) JOIN unit u ON u.unit_id = p.present_unit
WHERE i.ended_on IS NULL AND p.present_unit <@ khien_area()
  AND (NOT %(due)s OR upper(i.days) <= %(today)s::date)
ORDER BY upper(i.days), i.person_id LIMIT %(page)s OFFSET %(offset)s;

-- name: add_symptoms
INSERT INTO symptom_entry (person_id, client_id, noted_at, temperature, symptoms, note, alarming)
VALUES (%(person_id)s, %(client_id)s, %(now)s, %(temperature)s, %(symptoms)s, %(note)s, %(alarming)s) ON CONFLICT DO NOTHING;

-- name: diary
SELECT noted_at, temperature, symptoms, note FROM symptom_entry WHERE person_id = %(person_id)s ORDER BY noted_at DESC;

-- name: back
SELECT * FROM trace_back(%(persons)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(rule)s::jsonb);

-- name: places_of_cases
SELECT * FROM trace_places(%(persons)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(most)s);

-- name: known_cases
-- Cases of the area, for chains: when they fell ill, and who they are by number only.
SELECT c.person_id, c.case_id, c.onset_on, c.sampled_on, c.reported_on, c.state, c.source, p.sex, p.birth_date,
    u.code AS unit_code, u.name AS unit_name
FROM case_report c JOIN person p USING (person_id) JOIN unit u ON u.unit_id = p.present_unit
WHERE c.state <> 'refuted' AND c.reported_on BETWEEN %(first)s AND %(last)s
ORDER BY coalesce(c.onset_on, c.sampled_on), c.case_id LIMIT %(most)s;

-- name: decided_links
SELECT person_id, case_id, infector_id, reason FROM infection_link WHERE person_id = ANY (%(persons)s);

-- name: decide_link
INSERT INTO infection_link (person_id, case_id, infector_id, reason, decided_by, decided_at)
VALUES (%(person_id)s, %(case_id)s, %(infector_id)s, %(reason)s, %(account)s, %(now)s)
ON CONFLICT (person_id, case_id) DO UPDATE SET infector_id = excluded.infector_id, reason = excluded.reason,
    decided_by = excluded.decided_by, decided_at = excluded.decided_at;

-- name: case_number
SELECT person_id FROM case_report WHERE case_id = %(case_id)s AND state <> 'refuted';
