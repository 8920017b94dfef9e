-- name: derive
SELECT visit_derive(%(first)s::timestamptz, %(until)s::timestamptz, %(persons)s::bigint[], %(rule)s::jsonb);

-- name: add_rosters
INSERT INTO roster (person_id, place_id, valid, weekdays, starts, ends)
SELECT DISTINCT ON (r.person_id, p.place_id, r.starts, r.first, r.last)
    r.person_id, p.place_id, daterange(r.first, r.last, '[]'), string_to_array(r.weekdays, NULL)::smallint[], r.starts, r.ends
FROM unnest(%(persons)s::bigint[], %(places)s::text[], %(firsts)s::date[], %(lasts)s::date[], %(weekdays)s::text[],
            %(starts)s::time[], %(ends)s::time[]) AS r (person_id, place, first, last, weekdays, starts, ends)
JOIN place p ON p.code = r.place
ON CONFLICT (person_id, place_id, starts, valid) DO UPDATE SET weekdays = excluded.weekdays, ends = excluded.ends;

-- name: add_places_by_code
INSERT INTO place (code) SELECT DISTINCT c FROM unnest(%(codes)s::text[]) c ON CONFLICT (code) DO NOTHING;

-- name: place
-- Of a code: whoever stands before it may be from anywhere.
SELECT p.*, u.name AS unit_name FROM place p LEFT JOIN unit u USING (unit_id) WHERE p.place_id = %(place_id)s;

-- name: place_of_area
SELECT p.*, u.name AS unit_name FROM place p LEFT JOIN unit u USING (unit_id)
WHERE p.place_id = %(place_id)s AND (p.unit_id <@ khien_area() OR khien_nation());

-- name: place_of_code
-- By our own code or that of another system's poster.
SELECT p.*, u.name AS unit_name FROM place p LEFT JOIN unit u USING (unit_id)
WHERE p.place_id = coalesce((SELECT place_id FROM place WHERE code = %(code)s),
                            (SELECT place_id FROM place_alias WHERE code = %(code)s));

-- name: places
-- Places of the area that people check in at, by name.
SELECT p.place_id, p.code, p.kind, p.name, p.address, p.closed_at, p.unit_id, u.name AS unit_name
FROM place p JOIN unit u USING (unit_id)
WHERE p.unit_id <@ khien_area() AND p.code !~ '^(lane|vehicle|session):'
  AND (%(text)s = '' OR khien_fold(p.name) LIKE '%%' || khien_fold(%(text)s) || '%%' OR p.code = %(text)s)
ORDER BY p.name, p.code LIMIT %(page)s OFFSET %(offset)s;

-- name: count_places
SELECT count(*) FROM place p WHERE p.unit_id <@ khien_area() AND p.code !~ '^(lane|vehicle|session):'
  AND (%(text)s = '' OR khien_fold(p.name) LIKE '%%' || khien_fold(%(text)s) || '%%' OR p.code = %(text)s);

-- name: add_place
INSERT INTO place (code, kind, name, unit_id, floor_area, ventilation, address)
SELECT %(code)s, %(kind)s, %(name)s, u.unit_id, %(floor_area)s, %(ventilation)s, %(address)s
FROM unit u WHERE u.unit_id = %(unit_id)s AND u.unit_id <@ khien_area()
ON CONFLICT (code) DO NOTHING RETURNING place_id;

-- name: close_place
UPDATE place SET closed_at = %(now)s
WHERE place_id = %(place_id)s AND closed_at IS NULL AND unit_id <@ khien_area() RETURNING place_id;

-- name: add_alias
INSERT INTO place_alias (code, place_id) VALUES (%(code)s, %(place_id)s)
ON CONFLICT (code) DO UPDATE SET place_id = excluded.place_id;

-- name: note_visit
SELECT visit_note(%(message)s, %(place_id)s, %(moment)s, %(leaving)s, %(source)s::visit_source, %(pass_id)s, %(number)s,
    %(ending)s, %(name)s, %(born_first)s, %(born_last)s, %(own)s);

-- name: expire_rest
SELECT partition, visits FROM visit_expire_rest(%(before)s::date);

-- name: diary_of
SELECT * FROM diary_of(%(digest)s, %(today)s);

-- name: add_diary_link
INSERT INTO diary_link (person_id, digest, made_at, made_by, ends_on)
VALUES (%(person_id)s, %(digest)s, %(now)s, %(account)s, %(ends_on)s);

-- name: followed
-- Whether somebody is followed: a contact whose list is open, or isolated.
SELECT EXISTS (SELECT FROM contact k WHERE k.person_id = p.person_id AND k.state = ANY (%(states)s))
    OR EXISTS (SELECT FROM isolation_order i WHERE i.person_id = p.person_id AND i.ended_on IS NULL) AS followed, p.name
FROM person p WHERE p.person_id = %(person_id)s;

-- name: alarms
-- Entries that ask for a call and that nobody has seen yet, newest first; people of the area.
SELECT s.person_id, s.noted_at, s.temperature, s.symptoms, s.note, p.name, p.birth_date,
    (SELECT c.value FROM contact_point c WHERE c.person_id = s.person_id AND c.system = 'phone') AS phone, u.name AS unit_name
FROM symptom_entry s JOIN person p USING (person_id) JOIN unit u ON u.unit_id = p.present_unit
WHERE s.alarming AND s.seen_at IS NULL AND p.present_unit <@ khien_area()
ORDER BY s.noted_at DESC LIMIT 200;

-- name: see_alarms
UPDATE symptom_entry SET seen_at = %(now)s, seen_by = %(account)s
WHERE person_id = %(person_id)s AND alarming AND seen_at IS NULL;

-- name: bridging
-- Contacts (not cases themselves) on the lists of several of these cases, whom the actor may see.
SELECT k.person_id, array_agg(DISTINCT k.case_person_id) AS cases FROM contact k
WHERE k.case_person_id = ANY (%(persons)s) AND k.degree = 1 AND k.state NOT IN ('withdrawn', 'case')
GROUP BY k.person_id HAVING count(DISTINCT k.case_person_id) > 1;

-- name: people
SELECT p.person_id, p.name, p.birth_date, u.name AS unit_name FROM person p JOIN unit u ON u.unit_id = p.present_unit
WHERE p.person_id = ANY (%(persons)s);
