-- What a file changes about people the register knows. Corrections supersede: the old state stays, dated.

-- name: touched
-- Whom the statements below changed. Noted here, because a monthly extract of a nation changes millions.
CREATE UNLOGGED TABLE loading.touched (person_id bigint NOT NULL, moved boolean NOT NULL);

-- name: person_version
INSERT INTO person_version (person_id, until, name, birth_date, birth_precision, sex, nationality, died_on, source)
SELECT p.person_id, now(), p.name, p.birth_date, p.birth_precision, p.sex, p.nationality, p.died_on, 'load'
FROM loading.accepted a JOIN person p USING (person_id)
WHERE NOT a.is_new AND (a.name, a.birth_date, a.birth_precision, coalesce(nullif(a.sex, 'unknown'), p.sex),
        coalesce(a.nationality, p.nationality), coalesce(a.died_on, p.died_on))
    IS DISTINCT FROM (p.name, p.birth_date, p.birth_precision, p.sex, p.nationality, p.died_on);

-- name: person
UPDATE person p SET name = a.name, name_key = a.name_key, birth_date = a.birth_date,
    birth_precision = a.birth_precision, sex = coalesce(nullif(a.sex, 'unknown'), p.sex),
    nationality = coalesce(a.nationality, p.nationality), died_on = coalesce(a.died_on, p.died_on),
    home_unit = a.permanent_unit, present_unit = a.present_unit, changed_at = clock_timestamp()
FROM loading.accepted a
WHERE a.person_id = p.person_id AND NOT a.is_new
  AND (a.name, a.birth_date, a.birth_precision, coalesce(nullif(a.sex, 'unknown'), p.sex),
        coalesce(a.nationality, p.nationality), coalesce(a.died_on, p.died_on), a.permanent_unit, a.present_unit)
    IS DISTINCT FROM (p.name, p.birth_date, p.birth_precision, p.sex, p.nationality, p.died_on, p.home_unit,
        p.present_unit)
RETURNING p.person_id;

-- name: old_number
-- A corrected number: the one before no longer holds from the day of the extract.
UPDATE identifier g SET valid = daterange(lower(g.valid), %(as_of)s::date)
FROM loading.accepted a
WHERE g.person_id = a.person_id AND NOT a.is_new AND g.kind = 'personal_number' AND a.personal_number IS NOT NULL
  AND g.value <> a.personal_number AND g.valid @> %(as_of)s::date AND NOT isempty(daterange(lower(g.valid), %(as_of)s::date))
RETURNING g.person_id;

-- name: identifier
INSERT INTO identifier (kind, value, person_id, valid)
SELECT i.kind, i.value, a.person_id, daterange(%(as_of)s::date, NULL)
FROM loading.identity i JOIN loading.accepted a USING (line) WHERE NOT a.is_new
ON CONFLICT (value, kind) DO NOTHING
RETURNING person_id;

-- name: card
INSERT INTO personal_card AS k (person_id, card_number, kind, issued_on, expires_on)
SELECT person_id, card_number, card_kind, card_issued_on, card_expires_on
FROM loading.accepted WHERE NOT is_new AND card_kind IS NOT NULL
ON CONFLICT (person_id, card_number, issued_on) DO UPDATE SET expires_on = excluded.expires_on, kind = excluded.kind
    WHERE (k.expires_on, k.kind) IS DISTINCT FROM (excluded.expires_on, excluded.kind)
RETURNING person_id;

-- name: household
UPDATE household g SET unit_id = h.unit_id, address = h.address
FROM loading.home h
WHERE h.household_id = g.household_id AND (g.unit_id, g.address) IS DISTINCT FROM (h.unit_id, h.address);

-- name: members
-- Membership the file states differently from the register (no household_id: none any more).
CREATE UNLOGGED TABLE loading.member AS
SELECT a.person_id, coalesce(h.household_id, %(first_household)s + h.n) AS household_id, a.relation,
    g.household_id AS before_id, lower(g.valid) AS since, g.valid AS before_valid
FROM loading.accepted a
LEFT JOIN loading.home h USING (household)
LEFT JOIN household_member g ON g.person_id = a.person_id AND upper_inf(g.valid)
WHERE NOT a.is_new AND %(has_household)s
  AND (coalesce(h.household_id, %(first_household)s + h.n), a.relation) IS DISTINCT FROM (g.household_id, g.relation)
  AND (h.household IS NOT NULL OR g.household_id IS NOT NULL);

-- name: member_end
UPDATE household_member g SET valid = daterange(m.since, %(as_of)s::date)
FROM loading.member m
WHERE g.person_id = m.person_id AND g.valid = m.before_valid AND g.household_id = m.before_id
  AND (m.since IS NULL OR m.since < %(as_of)s::date)
RETURNING g.person_id;

-- name: member_same_day
-- Stated otherwise on the same day: the later word holds.
UPDATE household_member g SET household_id = m.household_id, relation = m.relation
FROM loading.member m
WHERE g.person_id = m.person_id AND g.valid = m.before_valid AND m.household_id IS NOT NULL
  AND m.since >= %(as_of)s::date
RETURNING g.person_id;

-- name: member_begin
INSERT INTO household_member (person_id, household_id, relation, valid)
SELECT m.person_id, m.household_id, m.relation, daterange(%(as_of)s::date, NULL)
FROM loading.member m
WHERE m.household_id IS NOT NULL AND (m.before_id IS NULL OR m.since IS NULL OR m.since < %(as_of)s::date)
RETURNING person_id;

-- name: residence_end
-- What the file says differently from the day on which its own begins.
UPDATE residence e SET valid = daterange(lower(e.valid), lower(w.valid))
FROM loading.wanted w JOIN loading.accepted a USING (line)
WHERE e.person_id = w.person_id AND e.kind = w.kind AND e.valid && w.valid AND lower(e.valid) < lower(w.valid)
RETURNING e.person_id;

-- name: residence_gone
-- The column is there and empty: no such residence on the day of the extract.
UPDATE residence e SET valid = daterange(lower(e.valid), %(as_of)s::date)
FROM loading.accepted a
WHERE e.person_id = a.person_id AND NOT a.is_new AND e.valid @> %(as_of)s::date AND lower(e.valid) < %(as_of)s::date
  AND CASE e.kind WHEN 'temporary' THEN %(has_temporary)s AND a.temporary_unit IS NULL
        WHEN 'stay' THEN %(has_stay)s AND a.stay_unit IS NULL
        WHEN 'absence' THEN %(has_absence)s AND a.absent_from IS NULL ELSE false END
RETURNING e.person_id;

-- name: residence_same_day
UPDATE residence e SET unit_id = w.unit_id, address = w.address, valid = w.valid
FROM loading.wanted w JOIN loading.accepted a USING (line)
WHERE e.person_id = w.person_id AND e.kind = w.kind AND lower(e.valid) = lower(w.valid)
RETURNING e.person_id;

-- name: residence_begin
INSERT INTO residence (person_id, kind, unit_id, address, valid)
SELECT w.person_id, w.kind, w.unit_id, w.address, w.valid FROM loading.wanted w JOIN loading.accepted a USING (line)
WHERE NOT EXISTS (SELECT FROM residence e
    WHERE e.person_id = w.person_id AND e.kind = w.kind AND lower(e.valid) = lower(w.valid))
RETURNING person_id;

-- name: mark_changed
-- Whose residence changed has changed, also where that moves nobody today: figures of past days are asked of it.
UPDATE person SET changed_at = clock_timestamp() WHERE person_id IN (SELECT person_id FROM loading.touched WHERE moved);

-- name: count_touched
SELECT count(DISTINCT person_id) FROM loading.touched;

-- name: each_touched
SELECT DISTINCT person_id FROM loading.touched ORDER BY person_id;
