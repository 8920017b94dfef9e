-- name: by_identifier
-- The person a number belongs to today, whatever kind of number it is; a merged record leads to the one that is kept.
SELECT DISTINCT coalesce(p.merged_into, p.person_id) AS person_id
FROM identifier i JOIN person p USING (person_id)
WHERE i.value = %(value)s AND i.valid @> %(today)s::date
LIMIT 2;

-- name: person
SELECT p.person_id, p.name, p.birth_date, p.birth_precision, p.sex, p.nationality, p.died_on, p.merged_into,
    p.home_unit, concat_ws(', ', home.name, unit_within(p.home_unit)) AS home_name, p.present_unit,
    concat_ws(', ', present.name, unit_within(p.present_unit)) AS present_name, p.changed_at
FROM person p
JOIN unit home ON home.unit_id = p.home_unit
JOIN unit present ON present.unit_id = p.present_unit
WHERE p.person_id = %(person_id)s;

-- name: same_person
-- The record and those that were merged into it.
SELECT person_id FROM person WHERE person_id = %(person_id)s
UNION ALL
SELECT person_id FROM person WHERE merged_into = %(person_id)s;

-- name: identifiers
SELECT kind, value, lower(valid) AS from_day, upper(valid) AS until_day
FROM identifier WHERE person_id = ANY (%(ids)s) AND valid @> %(today)s::date
ORDER BY array_position('{personal_number,cmnd,passport,insurance,provisional}'::text[], kind), value;

-- name: cards
SELECT card_number, kind, issued_on, expires_on, cancelled_on
FROM personal_card WHERE person_id = ANY (%(ids)s) ORDER BY issued_on DESC;

-- name: household
SELECT h.household_id, h.unit_id, concat_ws(', ', u.name, unit_within(h.unit_id)) AS unit_name, h.address, m.relation
FROM household_member m JOIN household h USING (household_id) JOIN unit u ON u.unit_id = h.unit_id
WHERE m.person_id = %(person_id)s AND m.valid @> %(today)s::date
ORDER BY lower(m.valid) DESC NULLS LAST LIMIT 1;

-- name: members
SELECT p.person_id, p.name, p.birth_date, p.birth_precision, p.sex, p.died_on, m.relation
FROM household_member m JOIN person p USING (person_id)
WHERE m.household_id = %(household_id)s AND m.valid @> %(today)s::date AND p.merged_into IS NULL
ORDER BY m.relation = 'head' DESC, p.birth_date, p.person_id;

-- name: residence
SELECT r.kind::text AS kind, r.unit_id, concat_ws(', ', u.name, unit_within(r.unit_id)) AS unit_name, r.address, lower(r.valid) AS from_day,
    upper(r.valid) AS until_day, r.source
-- Joined, because the key is a GiST index, which = serves and = ANY does not (a scan of the whole table).
FROM unnest(%(ids)s::bigint[]) AS wanted (person_id)
JOIN residence r ON r.person_id = wanted.person_id
JOIN unit u ON u.unit_id = r.unit_id
ORDER BY upper_inf(r.valid) DESC, lower(r.valid) DESC NULLS LAST, r.kind;

-- name: versions
SELECT until, name, birth_date, birth_precision, sex, nationality, died_on, source
FROM person_version WHERE person_id = ANY (%(ids)s) ORDER BY until DESC;

-- name: search
-- Names by prefix of their folded key, in Vietnamese order, a page after `after_sort`, `after_id`. The comparisons on
-- name_key are leakproof, so that row-level security lets the index serve them. `most` bounds the work for a bare "an".
WITH candidate AS MATERIALIZED (
    SELECT person_id, name, birth_date, birth_precision, sex, home_unit, died_on
    FROM person
    WHERE name_key ~>=~ %(prefix)s AND name_key ~<~ %(beyond)s
      AND (%(born_from)s::date IS NULL OR birth_date >= %(born_from)s::date AND birth_date < %(born_before)s::date)
      AND (%(unit_first)s::integer IS NULL OR home_unit BETWEEN %(unit_first)s::integer AND %(unit_last)s::integer
           OR present_unit BETWEEN %(unit_first)s::integer AND %(unit_last)s::integer)
      AND (%(words)s::text[] = '{}'
           OR string_to_array(name_key, ' ') @> %(words)s::text[])
      AND merged_into IS NULL
    ORDER BY name_key USING ~<~
    LIMIT %(most)s
), sorted AS (
    SELECT *, khien_name_sort(name) COLLATE "C" AS sort FROM candidate
)
SELECT s.person_id, s.name, s.birth_date, s.birth_precision, s.sex, s.died_on, s.home_unit, concat_ws(', ', u.name, unit_within(s.home_unit)) AS home_name,
    s.sort
FROM sorted s JOIN unit u ON u.unit_id = s.home_unit
WHERE %(after_sort)s::text IS NULL OR (s.sort, s.person_id) > (%(after_sort)s::text COLLATE "C", %(after_id)s::bigint)
ORDER BY s.sort, s.person_id
LIMIT %(page)s;

-- name: unit_span
SELECT unit_id, last_id FROM unit WHERE unit_id = %(unit_id)s;

-- name: lock_person
SELECT person_id, birth_date, name, died_on, merged_into, home_unit, present_unit
FROM person WHERE person_id = %(person_id)s FOR UPDATE;

-- name: lock_message
SELECT pg_advisory_xact_lock(hashtextextended(%(client_id)s::text, 6418));

-- name: message
SELECT person_id FROM register_message WHERE client_id = %(client_id)s LIMIT 1;

-- name: remember_message
INSERT INTO register_message (person_id, client_id, action) VALUES (%(person_id)s, %(client_id)s, %(action)s);

-- name: next_person
SELECT nextval('person_id_seq');

-- name: add_person
INSERT INTO person (person_id, name, name_key, birth_date, birth_precision, sex, nationality, home_unit, present_unit)
VALUES (%(person_id)s, %(name)s, khien_name_key(%(name)s), %(birth_date)s, %(birth_precision)s, %(sex)s,
    %(nationality)s, %(unit_id)s, %(unit_id)s);

-- name: add_identifier
INSERT INTO identifier (kind, value, person_id, valid)
VALUES (%(kind)s, %(value)s, %(person_id)s, daterange(%(from_day)s::date, NULL))
ON CONFLICT (value, kind) DO NOTHING;

-- name: add_provisional
INSERT INTO identifier (kind, value, person_id)
VALUES ('provisional', khien_provisional_id(%(person_id)s), %(person_id)s) RETURNING value;

-- name: change_identifier
UPDATE identifier SET value = %(new)s WHERE kind = %(kind)s AND value = %(old)s AND person_id = ANY (%(ids)s);

-- name: identifier_taken
SELECT EXISTS (SELECT FROM identifier WHERE value = %(value)s AND kind = %(kind)s);

-- name: keep_version
INSERT INTO person_version (person_id, until, name, birth_date, birth_precision, sex, nationality, died_on, source)
SELECT person_id, clock_timestamp(), name, birth_date, birth_precision, sex, nationality, died_on, %(source)s
FROM person WHERE person_id = %(person_id)s;

-- name: correct_person
UPDATE person SET name = coalesce(%(name)s, name), name_key = khien_name_key(coalesce(%(name)s, name)),
    birth_date = coalesce(%(birth_date)s, birth_date), birth_precision = coalesce(%(birth_precision)s, birth_precision),
    sex = coalesce(%(sex)s, sex), nationality = coalesce(%(nationality)s, nationality), changed_at = clock_timestamp()
WHERE person_id = %(person_id)s;

-- name: set_death
UPDATE person SET died_on = %(died_on)s, changed_at = clock_timestamp() WHERE person_id = %(person_id)s;

-- name: set_places
SELECT register_place(%(person_id)s, %(home_unit)s, %(present_unit)s);

-- name: give_way
SELECT residence_give_way(%(person_id)s, %(kind)s::residence_kind, %(starts)s::date[]);

-- name: end_spell
UPDATE residence SET valid = daterange(lower(valid), %(until)s::date)
WHERE person_id = %(person_id)s AND kind = %(kind)s::residence_kind AND lower(valid) = %(start)s;

-- name: replace_spell
UPDATE residence SET unit_id = %(unit_id)s, address = %(address)s, source = %(source)s,
    valid = daterange(lower(valid), %(until)s::date)
WHERE person_id = %(person_id)s AND kind = %(kind)s::residence_kind AND lower(valid) = %(start)s;

-- name: add_spell
INSERT INTO residence (person_id, kind, unit_id, address, valid, source)
VALUES (%(person_id)s, %(kind)s::residence_kind, %(unit_id)s, %(address)s, daterange(%(start)s::date, %(until)s::date),
    %(source)s);

-- name: issue_card
INSERT INTO personal_card (person_id, card_number, kind, issued_on, expires_on)
VALUES (%(person_id)s, %(card_number)s, %(kind)s, %(issued_on)s, %(expires_on)s)
ON CONFLICT (person_id, card_number, issued_on) DO NOTHING;

-- name: cancel_card
UPDATE personal_card SET cancelled_on = %(cancelled_on)s
WHERE person_id = %(person_id)s AND card_number = %(card_number)s AND issued_on = %(issued_on)s
  AND cancelled_on IS NULL;

-- name: set_merged
-- Both records change: doses of the one count for the other, or no longer do.
UPDATE person SET merged_into = CASE WHEN person_id = %(person_id)s THEN %(into)s::bigint ELSE merged_into END,
    changed_at = clock_timestamp()
WHERE person_id IN (%(person_id)s, %(other)s);

-- name: has_merged
SELECT EXISTS (SELECT FROM person WHERE merged_into = %(person_id)s);

-- name: states
-- What stands in the register of each person, as one value to compare and to go back to.
SELECT person_id, register_state(person_id, %(subject)s) AS state FROM unnest(%(ids)s::bigint[]) AS t (person_id);

-- name: keep_change
INSERT INTO register_change (person_id, change_id, subject, before, after, at, account_id)
SELECT person_id, %(change_id)s, %(subject)s, before, after, %(at)s, %(account_id)s
FROM unnest(%(persons)s::bigint[], %(before)s::jsonb[], %(after)s::jsonb[]) AS t (person_id, before, after);

-- name: restore
SELECT register_restore(%(person_id)s, %(change_id)s, %(at)s);

-- name: changes
-- What was entered for a person lately, the newest first; `last` is the one that can be undone.
SELECT c.change_id, c.subject, c.at, c.undone_at, a.name AS account,
    c.undone_at IS NULL AND c.kept_at = max(c.kept_at) FILTER (WHERE c.undone_at IS NULL) OVER (PARTITION BY c.subject) AS last
FROM register_change c LEFT JOIN account a ON a.id = c.account_id
WHERE c.person_id = %(person_id)s ORDER BY c.kept_at DESC LIMIT %(limit)s;

-- name: changed_by
-- Whom an event changed.
SELECT person_id, subject, undone_at FROM register_change WHERE change_id = %(change_id)s ORDER BY person_id;

-- name: household_of
-- The household that somebody belongs to now.
SELECT m.household_id, m.relation, h.unit_id, h.address
FROM household_member m JOIN household h USING (household_id)
WHERE m.person_id = %(person_id)s AND upper_inf(m.valid);

-- name: lock_members
-- Everybody who belongs to these households now, held until the end: two officers cannot make two heads.
SELECT person_id, household_id, relation, since, counts FROM register_members(%(ids)s::bigint[]);

-- name: lock_household
SELECT household_id, unit_id, address FROM household WHERE household_id = %(household_id)s FOR UPDATE;

-- name: new_household
INSERT INTO household (household_id, unit_id, address)
SELECT nextval('household_id_seq'), %(unit_id)s, %(address)s RETURNING household_id;

-- name: end_membership
UPDATE household_member SET valid = daterange(lower(valid), %(on)s::date)
WHERE person_id = ANY (%(ids)s) AND upper_inf(valid) AND coalesce(lower(valid) < %(on)s::date, true);

-- name: change_membership
-- Who joined on that very day has not been there: the row itself changes, and what it said stands in register_change.
UPDATE household_member m SET household_id = t.household_id, relation = t.relation
FROM unnest(%(ids)s::bigint[], %(households)s::bigint[], %(relations)s::text[]) AS t (person_id, household_id, relation)
WHERE m.person_id = t.person_id AND upper_inf(m.valid);

-- name: join_household
INSERT INTO household_member (person_id, household_id, relation, valid)
SELECT t.person_id, t.household_id, t.relation, daterange(%(on)s::date, NULL)
FROM unnest(%(ids)s::bigint[], %(households)s::bigint[], %(relations)s::text[]) AS t (person_id, household_id, relation)
WHERE NOT EXISTS (SELECT FROM household_member m WHERE m.person_id = t.person_id AND upper_inf(m.valid));
