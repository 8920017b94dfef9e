-- The usual rows of an extract, for DuckDB: typed, shaped and written to an empty register without passing PostgreSQL's
-- checks one by one. `usual` is narrower than what checks.sql accepts: whatever it does not take goes the general way.

-- name: type_rows
-- One block of the file; `usual` says whether the row needs no judgement of its own. In two steps: typing rows while they
-- are read takes a third longer.
CREATE OR REPLACE TEMP TABLE typed AS
WITH typed AS (
    SELECT r.line, r.personal_number, upper(r.provisional_id) AS provisional_id, r.name, folded(r.name) AS folded,
        TRY_CAST(CASE length(r.birth_date) WHEN 10 THEN r.birth_date WHEN 7 THEN r.birth_date || '-01'
            WHEN 4 THEN r.birth_date || '-01-01' END AS DATE) AS birth_date,
        CASE length(r.birth_date) WHEN 10 THEN 'd' WHEN 7 THEN 'm' ELSE 'y' END AS birth_precision,
        coalesce(r.sex, 'unknown') AS sex, coalesce(r.nationality, 'VNM') AS nationality, r.old_number,
        r.insurance_number, r.card_kind, TRY_CAST(r.card_issued_on AS DATE) AS card_issued_on,
        TRY_CAST(r.card_expires_on AS DATE) AS card_expires_on,
        CASE WHEN r.card_kind = 'cmnd' THEN coalesce(r.old_number, r.personal_number) ELSE r.personal_number END
            AS card_number,
        r.household, CASE WHEN r.household IS NOT NULL THEN coalesce(r.relation, 'other') END AS relation,
        permanent.unit_id AS permanent_unit, trim(coalesce(r.address, '')) AS address,
        temporary.unit_id AS temporary_unit, trim(coalesce(r.temporary_address, '')) AS temporary_address,
        TRY_CAST(r.temporary_from AS DATE) AS temporary_from, TRY_CAST(r.temporary_until AS DATE) AS temporary_until,
        stay.unit_id AS stay_unit, trim(coalesce(r.stay_address, '')) AS stay_address,
        TRY_CAST(r.stay_from AS DATE) AS stay_from, TRY_CAST(r.stay_until AS DATE) AS stay_until,
        TRY_CAST(r.absent_from AS DATE) AS absent_from, TRY_CAST(r.absent_until AS DATE) AS absent_until,
        TRY_CAST(r.died_on AS DATE) AS died_on,
        -- What is judged by its text: form and length. Missing values are judged below.
        coalesce(only_digits(r.personal_number, 12), r.provisional_id IS NOT NULL)
        -- A made-up key of the loader's own must not meet one that was sent.
        AND coalesce(regexp_full_match(r.provisional_id, '[0-9A-Za-z._/-]{1,31}'), true)
        AND regexp_full_match(r.name, '[$letters]+( [$letters]+)*') AND length(r.name) <= 200
        AND day_or_none(CASE length(r.birth_date) WHEN 10 THEN r.birth_date WHEN 7 THEN r.birth_date || '-01'
            WHEN 4 THEN r.birth_date || '-01-01' ELSE '' END)
        AND coalesce(r.nationality = 'VNM' OR regexp_full_match(r.nationality, '[A-Z]{3}'), true)
        AND coalesce(only_digits(r.old_number, 9), true)
        AND coalesce(only_digits(r.insurance_number, 10)
            OR regexp_full_match(r.insurance_number, '[A-Z]{2}[0-9]{13}'), true)
        AND coalesce(trim(r.household) = r.household AND length(r.household) BETWEEN 1 AND 100, r.relation IS NULL)
        AND (r.commune IS NULL) = (permanent.unit_id IS NULL)
        AND (r.temporary_commune IS NULL) = (temporary.unit_id IS NULL)
        AND (r.stay_commune IS NULL) = (stay.unit_id IS NULL)
        AND plain_text(r.address) AND plain_text(r.temporary_address) AND plain_text(r.stay_address)
        AND plain_text(r.household)
        AND day_or_none(r.card_issued_on) AND day_or_none(r.card_expires_on) AND day_or_none(r.died_on)
        AND day_or_none(r.temporary_from) AND day_or_none(r.temporary_until) AND day_or_none(r.stay_from)
        AND day_or_none(r.stay_until) AND day_or_none(r.absent_from) AND day_or_none(r.absent_until) AS well_formed
    FROM (SELECT $line AS line, *$missing FROM raw) r
    LEFT JOIN commune permanent ON permanent.code = r.commune
    LEFT JOIN commune temporary ON temporary.code = r.temporary_commune
    LEFT JOIN commune stay ON stay.code = r.stay_commune
)
SELECT *, CASE WHEN stay_unit IS NOT NULL AND coalesce(stay_from, birth_date) <= $as_of
               AND (stay_until IS NULL OR stay_until >= $as_of) THEN stay_unit
          WHEN temporary_unit IS NOT NULL AND coalesce(temporary_from, birth_date) <= $as_of
               AND (temporary_until IS NULL OR temporary_until >= $as_of) THEN temporary_unit
          ELSE permanent_unit END AS present_unit,
    coalesce(well_formed AND permanent_unit IS NOT NULL AND birth_date BETWEEN DATE '1850-01-01' AND $as_of
        AND sex IN ('male', 'female', 'other', 'unknown')
        AND CASE WHEN card_kind IS NULL THEN card_issued_on IS NULL AND card_expires_on IS NULL
            ELSE card_kind IN ('cmnd', 'cccd', 'cccd_chip', 'can_cuoc') AND card_number IS NOT NULL
                AND card_issued_on IS NOT NULL AND coalesce(card_expires_on >= card_issued_on, true) END
        AND coalesce(regexp_full_match(relation, 'head|spouse|child|parent|sibling|grandparent|grandchild|other'), true)
        AND CASE WHEN temporary_unit IS NULL THEN temporary_from IS NULL AND temporary_until IS NULL
            ELSE coalesce(temporary_until >= coalesce(temporary_from, birth_date), true) END
        AND CASE WHEN stay_unit IS NULL THEN stay_from IS NULL AND stay_until IS NULL
            ELSE coalesce(stay_until >= coalesce(stay_from, birth_date), true) END
        AND CASE WHEN absent_from IS NULL THEN absent_until IS NULL ELSE coalesce(absent_until >= absent_from, true) END
        AND coalesce(died_on BETWEEN birth_date AND $as_of, true), false) AS usual
FROM typed

-- name: identifiers
-- Every number of every usual row.
SELECT 'personal_number' AS kind, personal_number AS value, line FROM typed WHERE usual AND personal_number IS NOT NULL
UNION ALL SELECT 'cmnd', old_number, line FROM typed WHERE usual AND old_number IS NOT NULL
UNION ALL SELECT 'insurance', insurance_number, line FROM typed WHERE usual AND insurance_number IS NOT NULL
UNION ALL SELECT 'provisional', provisional_id, line FROM typed WHERE usual AND provisional_id IS NOT NULL

-- name: claims
-- What nobody else in the file may have: by hash, which is short. Two values that share one by chance are judged without
-- need. A household has one head.
SELECT hash(kind, value) AS claimed, line FROM ($identifiers)
UNION ALL SELECT hash('head', household), line FROM typed WHERE usual AND relation = 'head'

-- name: members
SELECT line, household, relation, birth_date, permanent_unit, address FROM typed WHERE usual AND household IS NOT NULL

-- name: person
SELECT $base + line AS person_id, name,
    CASE WHEN contains(folded, ' ') THEN split_part(folded, ' ', -1) || ' '
        || left(folded, length(folded) - length(split_part(folded, ' ', -1)) - 1) ELSE folded END AS name_key,
    birth_date, birth_precision, sex, nationality, permanent_unit AS home_unit, present_unit, died_on
FROM typed WHERE usual

-- name: identifier
-- Whoever has no personal number gets a number that can be told by telephone (khien_provisional_id).
SELECT kind, value, $base + line AS person_id FROM ($identifiers)
UNION ALL
SELECT 'provisional', printf('KT%010d%02d', $base + line, 98 - ($base + line) * 100 % 97), $base + line
FROM typed WHERE usual AND personal_number IS NULL

-- name: personal_card
SELECT $base + line AS person_id, card_number, card_kind AS kind, card_issued_on AS issued_on,
    card_expires_on AS expires_on
FROM typed WHERE usual AND card_kind IS NOT NULL

-- name: residence
SELECT $base + line AS person_id, 'permanent' AS kind, permanent_unit AS unit_id, address, '[' || birth_date || ',)' AS valid
FROM typed WHERE usual
UNION ALL
SELECT $base + line, 'temporary', temporary_unit, temporary_address,
    '[' || coalesce(temporary_from, birth_date) || ',' || coalesce((temporary_until + 1)::VARCHAR, '') || ')'
FROM typed WHERE usual AND temporary_unit IS NOT NULL
UNION ALL
SELECT $base + line, 'stay', stay_unit, stay_address,
    '[' || coalesce(stay_from, birth_date) || ',' || coalesce((stay_until + 1)::VARCHAR, '') || ')'
FROM typed WHERE usual AND stay_unit IS NOT NULL
UNION ALL
SELECT $base + line, 'absence', permanent_unit, '',
    '[' || absent_from || ',' || coalesce((absent_until + 1)::VARCHAR, '') || ')'
FROM typed WHERE usual AND absent_from IS NOT NULL

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
