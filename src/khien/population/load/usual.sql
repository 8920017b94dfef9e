-- The usual rows of an extract, for DuckDB: typed, shaped and written to an empty register without passing PostgreSQL's
-- checks one by one. `usual` is narrower than what checks.sql accepts: whatever it does not take goes the general way.

-- name: few
-- What few rows say: a second residence, an absence, a death, no personal number. Asked of those rows alone.
CREATE OR REPLACE TEMP TABLE few AS
SELECT line, temporary.unit_id AS temporary_unit, stay.unit_id AS stay_unit,
    CASE WHEN stay.unit_id IS NOT NULL AND stay_since <= $as_of AND coalesce(stay_last >= $as_of, true) THEN stay.unit_id
        WHEN temporary.unit_id IS NOT NULL AND temporary_since <= $as_of AND coalesce(temporary_last >= $as_of, true)
        THEN temporary.unit_id END AS elsewhere,
    coalesce(
        -- A made-up key of the loader's own must not meet one that was sent.
        coalesce(regexp_full_match(provisional_id, '[0-9A-Za-z._/-]{1,31}'), true)
        AND (temporary_commune IS NULL) = (temporary.unit_id IS NULL) AND (stay_commune IS NULL) = (stay.unit_id IS NULL)
        AND $plain(temporary_address) AND $plain(stay_address)
        AND day_or_none(died_on) AND day_or_none(temporary_from) AND day_or_none(temporary_until)
        AND day_or_none(stay_from) AND day_or_none(stay_until) AND day_or_none(absent_from) AND day_or_none(absent_until)
        AND CASE WHEN temporary_commune IS NULL THEN temporary_from IS NULL AND temporary_until IS NULL
            ELSE coalesce(temporary_last >= temporary_since, true) END
        AND CASE WHEN stay_commune IS NULL THEN stay_from IS NULL AND stay_until IS NULL
            ELSE coalesce(stay_last >= stay_since, true) END
        AND CASE WHEN absent_from IS NULL THEN absent_until IS NULL ELSE coalesce(absent_last >= absent_since, true) END
        AND coalesce(greatest(temporary_last, stay_last, absent_last) <= DATE '2399-12-31', true)
        AND coalesce(died BETWEEN born AND $as_of, true), false) AS usual
FROM (
    SELECT $line AS line, *, TRY_CAST(full_day(birth_date) AS DATE) AS born,
        coalesce(TRY_CAST(temporary_from AS DATE), born) AS temporary_since,
        TRY_CAST(temporary_until AS DATE) AS temporary_last,
        coalesce(TRY_CAST(stay_from AS DATE), born) AS stay_since, TRY_CAST(stay_until AS DATE) AS stay_last,
        TRY_CAST(absent_from AS DATE) AS absent_since, TRY_CAST(absent_until AS DATE) AS absent_last,
        TRY_CAST(died_on AS DATE) AS died
    FROM raw
    WHERE coalesce(provisional_id, temporary_commune, temporary_address, temporary_from, temporary_until, stay_commune,
        stay_address, stay_from, stay_until, absent_from, absent_until, died_on) IS NOT NULL
)
LEFT JOIN commune temporary ON temporary.code = temporary_commune
LEFT JOIN commune stay ON stay.code = stay_commune

-- name: type_rows
-- What follows from one block of the file, row by row; `usual` says whether the row needs no judgement of its own. Texts
-- that are handed on as they are stay in `raw` and are not copied. Not in one step with reading, which takes a third longer.
-- CASE rather than OR: it asks the second question of those rows alone that the first does not settle.
CREATE OR REPLACE TEMP TABLE derived AS
WITH r AS (
    SELECT raw.*, folded(name) AS folded, TRY_CAST(full_birth AS DATE) AS born, card_of(card_kind, old_number,
        personal_number) AS card_number, permanent.unit_id AS permanent_unit
    FROM (SELECT $line AS line, *, full_day(birth_date) AS full_birth FROM raw) raw
    LEFT JOIN commune permanent ON permanent.code = commune
)
SELECT r.line, full_birth,
    CASE WHEN contains(folded, ' ') THEN split_part(folded, ' ', -1) || ' '
        || left(folded, length(folded) - length(split_part(folded, ' ', -1)) - 1) ELSE folded END AS name_key,
    permanent_unit, temporary_unit, stay_unit, coalesce(elsewhere, permanent_unit) AS present_unit,
    coalesce(coalesce(only_digits(personal_number, 12), provisional_id IS NOT NULL)
        AND regexp_full_match(name, '[$letters]+( [$letters]+)*') AND length(name) <= 200
        AND born::VARCHAR = full_birth AND born BETWEEN DATE '1850-01-01' AND $as_of
        AND coalesce(sex IN ('male', 'female', 'other', 'unknown'), true)
        AND CASE WHEN nationality = 'VNM' THEN true ELSE coalesce(regexp_full_match(nationality, '[A-Z]{3}'), true) END
        AND coalesce(only_digits(old_number, 9), true)
        AND CASE WHEN only_digits(insurance_number, 10) THEN true
            ELSE coalesce(regexp_full_match(insurance_number, '[A-Z]{2}[0-9]{13}'), true) END
        AND CASE WHEN household IS NULL THEN relation IS NULL
            ELSE length(household) <= 100 AND NOT starts_with(household, ' ') AND NOT ends_with(household, ' ') END
        AND coalesce(relation IN ('head', 'spouse', 'child', 'parent', 'sibling', 'grandparent', 'grandchild', 'other'),
            true)
        AND permanent_unit IS NOT NULL AND $plain(address) AND $plain(household)
        AND day_or_none(card_issued_on) AND day_or_none(card_expires_on)
        AND CASE WHEN card_kind IS NULL THEN card_issued_on IS NULL AND card_expires_on IS NULL
            ELSE card_kind IN ('cmnd', 'cccd', 'cccd_chip', 'can_cuoc') AND card_number IS NOT NULL
                AND card_issued_on IS NOT NULL AND coalesce(card_expires_on >= card_issued_on, true) END  -- as written: year first
        AND coalesce(few.usual, true), false) AS usual
FROM r LEFT JOIN few ON few.line = r.line
-- `typed` pairs the rows by their place, and a join promises none.
ORDER BY r.line

-- name: typed
-- The usual rows with their texts. Both tables stand in the order of the file.
CREATE OR REPLACE TEMP VIEW typed AS
SELECT derived.*, personal_number, upper(provisional_id) AS provisional_id, name,
    CASE length(birth_date) WHEN 10 THEN 'd' WHEN 7 THEN 'm' ELSE 'y' END AS birth_precision,
    coalesce(sex, 'unknown') AS sex, coalesce(nationality, 'VNM') AS nationality, old_number, insurance_number,
    card_kind, card_issued_on, card_expires_on,
    card_of(card_kind, old_number, personal_number) AS card_number, household, coalesce(relation, 'other') AS relation,  -- asked of members alone
    trim(coalesce(address, '')) AS address, trim(coalesce(temporary_address, '')) AS temporary_address,
    coalesce(temporary_from, full_birth) AS temporary_from, temporary_until,
    trim(coalesce(stay_address, '')) AS stay_address, coalesce(stay_from, full_birth) AS stay_from, stay_until,
    absent_from, absent_until, died_on
FROM raw POSITIONAL JOIN derived
WHERE usual

-- name: identifiers
-- Every number of every usual row.
SELECT 'personal_number' AS kind, personal_number AS value, line FROM typed WHERE personal_number IS NOT NULL
UNION ALL SELECT 'cmnd', old_number, line FROM typed WHERE old_number IS NOT NULL
UNION ALL SELECT 'insurance', insurance_number, line FROM typed WHERE insurance_number IS NOT NULL
UNION ALL SELECT 'provisional', provisional_id, line FROM typed WHERE provisional_id IS NOT NULL

-- name: claims
-- What nobody else in the file may have: by hash, which is short. Two values that share one by chance are judged without
-- need. A household has one head.
SELECT hash(kind, value) AS claimed, line FROM ($identifiers)
UNION ALL SELECT hash('head', household), line FROM typed WHERE relation = 'head'

-- name: members
SELECT line, household, relation, full_birth AS birth_date, permanent_unit, address FROM typed WHERE household IS NOT NULL

-- name: person
SELECT $base + line AS person_id, name, name_key, full_birth AS birth_date, birth_precision, sex, nationality,
    permanent_unit AS home_unit, present_unit, died_on
FROM typed

-- name: identifier
-- Whoever has no personal number gets a number that can be told by telephone (khien_provisional_id).
SELECT kind, value, $base + line AS person_id FROM ($identifiers)
UNION ALL
SELECT 'provisional', printf('KT%010d%02d', $base + line, 98 - ($base + line) * 100 % 97), $base + line
FROM typed WHERE personal_number IS NULL

-- name: personal_card
SELECT $base + line AS person_id, card_number, card_kind AS kind, card_issued_on AS issued_on,
    card_expires_on AS expires_on
FROM typed WHERE card_kind IS NOT NULL

-- name: residence
SELECT $base + line AS person_id, 'permanent' AS kind, permanent_unit AS unit_id, address, '[' || full_birth || ',)' AS valid
FROM typed
UNION ALL
SELECT $base + line, 'temporary', temporary_unit, temporary_address, spell(temporary_from, temporary_until)
FROM typed WHERE temporary_unit IS NOT NULL
UNION ALL
SELECT $base + line, 'stay', stay_unit, stay_address, spell(stay_from, stay_until)
FROM typed WHERE stay_unit IS NOT NULL
UNION ALL
SELECT $base + line, 'absence', permanent_unit, '', spell(absent_from, absent_until)
FROM typed WHERE absent_from IS NOT NULL

-- name: repeated
-- Rows of the whole file that claim what another claims: to be judged with the whole group.
SELECT line FROM $claims WHERE claimed IN (SELECT claimed FROM $claims GROUP BY claimed HAVING count(*) > 1)

-- name: related
-- Usual rows that share a number or the household with a row that is judged: they are judged with it.
SELECT line FROM $claims WHERE claimed IN (SELECT hash(kind, value) FROM judged)
UNION SELECT line FROM $members WHERE household IN (SELECT value FROM judged WHERE kind = 'household')

-- name: homes
-- One row a household of usual rows; its place is the head's, else that of its first member.
CREATE OR REPLACE TABLE home AS
SELECT household, row_number() OVER (ORDER BY first_line) AS n, pick FROM (
    SELECT household, min(line) AS first_line,
        min(line + CASE relation WHEN 'head' THEN 0 ELSE 1000000000000000 END) % 1000000000000000 AS pick
    FROM $members WHERE line NOT IN (SELECT line FROM judged_line) GROUP BY household)

-- name: household
SELECT $first_household + n AS household_id, permanent_unit AS unit_id, address
FROM $members JOIN home ON pick = line

-- name: household_member
SELECT $base + line AS person_id, $first_household + n AS household_id, relation, '[' || birth_date || ',)' AS valid
FROM $members JOIN home USING (household) WHERE line NOT IN (SELECT line FROM judged_line)

-- name: judge
INSERT INTO judged_line SELECT DISTINCT line, $turn FROM ($lines) WHERE line NOT IN (SELECT line FROM judged_line)
