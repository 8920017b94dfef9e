-- From typed rows to the register. Every statement is about the whole file; `accepted` is the rows that passed.
-- Only the blocks named new_* run when the register was empty.

-- name: communes
-- Codes in force on the day of the extract. Where two systems are, the newer one; a district without communes (islands)
-- stands for its own.
SELECT DISTINCT ON (u.code) u.code, u.unit_id FROM unit u
WHERE u.valid @> %(as_of)s::date
  AND (u.level = 3 OR (u.level = 2 AND NOT EXISTS (SELECT FROM unit c WHERE c.parent_id = u.unit_id)))
ORDER BY u.code, u.level DESC, lower(u.valid) DESC NULLS LAST;

-- name: identities
-- What identifies each row. A row without any number gets a key made of what it says, so that the same row again is
-- the same person.
CREATE UNLOGGED TABLE loading.identity AS
WITH sound AS NOT MATERIALIZED (
    SELECT * FROM loading.checked c WHERE NOT EXISTS (SELECT FROM loading.excluded e WHERE e.line = c.line)
)
SELECT line, 'personal_number' AS kind, personal_number AS value FROM sound WHERE personal_number IS NOT NULL
UNION ALL
SELECT line, 'cmnd', old_number FROM sound WHERE old_number IS NOT NULL
UNION ALL
SELECT line, 'insurance', insurance_number FROM sound WHERE insurance_number IS NOT NULL
UNION ALL
SELECT line, 'provisional', coalesce(provisional_id,
    'X' || upper(md5(concat_ws('|', folded, birth_date, sex, household, permanent_unit, address))))
FROM sound WHERE provisional_id IS NOT NULL OR personal_number IS NULL;

-- name: repeated
-- One value on several rows: rows that are the same in every column count once, others are all refused.
WITH shared AS (
    SELECT kind, value FROM loading.identity GROUP BY kind, value HAVING count(*) > 1
), copy AS (
    SELECT i.kind, i.value, i.line, md5((to_jsonb(r) - 'line')::text) AS said
    FROM shared JOIN loading.identity i USING (kind, value) JOIN loading.raw r ON r.line = i.line
), judged AS (
    SELECT line, kind, min(said) OVER same <> max(said) OVER same AS differs, line > min(line) OVER same AS later
    FROM copy WINDOW same AS (PARTITION BY kind, value)
), refused AS (
    INSERT INTO loading.reject (line, field, reason)
    SELECT DISTINCT line, CASE kind WHEN 'cmnd' THEN 'old_number' WHEN 'insurance' THEN 'insurance_number'
        WHEN 'provisional' THEN 'provisional_id' ELSE kind END, 'duplicate'
    FROM judged WHERE differs
)
INSERT INTO loading.excluded SELECT DISTINCT line FROM judged WHERE NOT differs AND later;

-- name: two_heads
INSERT INTO loading.reject (line, field, reason)
SELECT c.line, 'relation', 'two_heads' FROM loading.checked c
WHERE c.relation = 'head' AND NOT EXISTS (SELECT FROM loading.excluded e WHERE e.line = c.line)
  AND c.household IN (
    SELECT household FROM loading.checked h
    WHERE relation = 'head' AND NOT EXISTS (SELECT FROM loading.excluded e WHERE e.line = h.line)
    GROUP BY household HAVING count(*) > 1);

-- name: owners
-- Whom the register knows by these values.
CREATE UNLOGGED TABLE loading.matched AS
SELECT i.line, min(coalesce(p.merged_into, p.person_id)) AS person_id,
    count(DISTINCT coalesce(p.merged_into, p.person_id)) AS persons
FROM loading.identity i JOIN identifier g USING (kind, value) JOIN person p ON p.person_id = g.person_id
WHERE NOT EXISTS (SELECT FROM loading.excluded e WHERE e.line = i.line)
GROUP BY i.line;

-- name: conflicts
-- Somebody else's number: the values lead to several people, or neither name nor birth date is that of the owner.
INSERT INTO loading.reject (line, field, reason)
SELECT c.line, CASE WHEN c.personal_number IS NOT NULL THEN 'personal_number' ELSE 'provisional_id' END, 'conflict'
FROM loading.matched m JOIN loading.checked c USING (line) JOIN person p USING (person_id)
WHERE m.persons > 1 OR (khien_fold(p.name) <> c.folded AND p.birth_date <> c.birth_date);

-- name: same_person
INSERT INTO loading.reject (line, field, reason)
SELECT line, 'personal_number', 'duplicate' FROM (
    SELECT line, count(*) OVER (PARTITION BY person_id) AS rows FROM loading.matched) m
WHERE rows > 1
EXCEPT SELECT line, field, reason FROM loading.reject;  -- told already where the number itself is the same

-- name: wanted
-- Residence the file states of people the register knows, where the register does not say so already.
CREATE UNLOGGED TABLE loading.wanted AS
SELECT m.line, m.person_id, w.kind::residence_kind AS kind, w.unit_id, w.address,
    daterange(w.since, w.until + 1) AS valid
FROM loading.matched m JOIN loading.checked c USING (line), LATERAL (VALUES
    ('permanent', c.permanent_unit, c.address, NULL::date, NULL::date),
    ('temporary', c.temporary_unit, c.temporary_address, c.temporary_from, c.temporary_until),
    ('stay', c.stay_unit, c.stay_address, c.stay_from, c.stay_until),
    ('absence', CASE WHEN c.absent_from IS NOT NULL THEN c.permanent_unit END, '', c.absent_from, c.absent_until)
) AS s (kind, unit_id, address, stated, until), LATERAL (
    SELECT s.kind, s.unit_id, s.address, s.until, coalesce(s.stated, %(as_of)s::date) AS since) w
WHERE s.unit_id IS NOT NULL AND (s.until IS NULL OR s.until >= w.since) AND NOT EXISTS (
    SELECT FROM residence e
    WHERE e.person_id = m.person_id AND e.kind = s.kind::residence_kind AND e.unit_id = s.unit_id
      AND e.address = s.address
      AND CASE WHEN s.stated IS NULL THEN e.valid @> %(as_of)s::date AND upper(e.valid) IS NOT DISTINCT FROM s.until + 1
               ELSE e.valid = daterange(s.stated, s.until + 1) END);

-- name: overlaps
INSERT INTO loading.reject (line, field, reason)
SELECT DISTINCT w.line, CASE w.kind WHEN 'permanent' THEN 'commune' WHEN 'absence' THEN 'absent_from'
    ELSE w.kind || '_from' END, 'overlap'
FROM loading.wanted w JOIN residence e USING (person_id, kind)
WHERE e.valid && w.valid AND lower(e.valid) > lower(w.valid);

-- name: exclude
INSERT INTO loading.excluded SELECT DISTINCT line FROM loading.reject ON CONFLICT DO NOTHING;

-- name: homes
-- One row a household of the file; its place is the head's, else that of its first member.
CREATE UNLOGGED TABLE loading.home AS
SELECT h.household, c.permanent_unit AS unit_id, c.address, known.household_id,
    row_number() OVER () AS n
FROM (
    SELECT household, min(line + CASE relation WHEN 'head' THEN 0 ELSE 1e15 END) AS pick
    FROM loading.accepted WHERE household IS NOT NULL GROUP BY household
) h
JOIN loading.checked c ON c.line = (h.pick::numeric %% 1e15)::bigint
LEFT JOIN loading.known_home known ON known.household = h.household;

-- name: repeated_rows
SELECT count(*) FROM loading.excluded e WHERE NOT EXISTS (SELECT FROM loading.reject r WHERE r.line = e.line);

-- name: orphans
-- A load commits residences just before their people. If it was killed in between, they are nobody's.
DELETE FROM residence r USING load_run l
WHERE l.stage = 'merging' AND r.person_id > l.base AND r.person_id <= l.base + l.lines
  AND NOT EXISTS (SELECT FROM person p WHERE p.person_id = r.person_id);

-- name: known_homes
-- Which household of the register one of the file is: its head's, else any member's; each given once.
CREATE UNLOGGED TABLE loading.known_home AS
SELECT DISTINCT ON (household) household, household_id FROM (
    SELECT DISTINCT ON (g.household_id) a.household, g.household_id, a.relation = 'head' AND g.relation = 'head' AS headed
    FROM loading.accepted a JOIN household_member g ON g.person_id = a.person_id AND upper_inf(g.valid)
    WHERE a.household IS NOT NULL
    ORDER BY g.household_id, (a.relation = 'head' AND g.relation = 'head') DESC, a.line
) claim ORDER BY household, headed DESC, household_id;

-- name: new_person
INSERT INTO person (person_id, name, name_key, birth_date, birth_precision, sex, nationality, home_unit, present_unit,
    died_on)
SELECT person_id, name, name_key, birth_date, birth_precision, sex, coalesce(nationality, 'VNM'), permanent_unit,
    present_unit, died_on
FROM loading.accepted WHERE is_new;

-- name: new_identifier
INSERT INTO identifier (kind, value, person_id)
SELECT i.kind, i.value, a.person_id FROM loading.identity i JOIN loading.accepted a USING (line) WHERE a.is_new;

-- name: new_provisional
-- Whoever has no personal number gets a number that can be told by telephone.
INSERT INTO identifier (kind, value, person_id)
SELECT 'provisional', khien_provisional_id(person_id), person_id FROM loading.accepted
WHERE is_new AND personal_number IS NULL;

-- name: new_card
INSERT INTO personal_card (person_id, card_number, kind, issued_on, expires_on)
SELECT person_id, card_number, card_kind, card_issued_on, card_expires_on
FROM loading.accepted WHERE is_new AND card_kind IS NOT NULL;

-- name: new_household
INSERT INTO household (household_id, unit_id, address)
SELECT %(first_household)s + n, unit_id, address FROM loading.home WHERE household_id IS NULL;

-- name: new_member
INSERT INTO household_member (person_id, household_id, relation, valid)
SELECT a.person_id, coalesce(h.household_id, %(first_household)s + h.n), a.relation, daterange(a.birth_date, NULL)
FROM loading.accepted a JOIN loading.home h USING (household) WHERE a.is_new;

-- name: new_residence
-- The register does not say since when: at the earliest since birth.
INSERT INTO residence (person_id, kind, unit_id, address, valid)
SELECT person_id, 'permanent'::residence_kind, permanent_unit, address, daterange(birth_date, NULL)
FROM loading.accepted WHERE is_new
UNION ALL
SELECT person_id, 'temporary', temporary_unit, temporary_address,
    daterange(coalesce(temporary_from, birth_date), temporary_until + 1)
FROM loading.accepted WHERE is_new AND temporary_unit IS NOT NULL
UNION ALL
SELECT person_id, 'stay', stay_unit, stay_address, daterange(coalesce(stay_from, birth_date), stay_until + 1)
FROM loading.accepted WHERE is_new AND stay_unit IS NOT NULL
UNION ALL
SELECT person_id, 'absence', permanent_unit, '', daterange(absent_from, absent_until + 1)
FROM loading.accepted WHERE is_new AND absent_from IS NOT NULL;
