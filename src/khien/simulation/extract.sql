-- name: people_present
-- DuckDB. Who lives and is not absent on $on_day, in file order; where each is (a stay goes before a temporary residence
-- before the permanent one), and a text that all people of one home share.
WITH placed AS (
    SELECT
        row_number() OVER () AS file_row,
        coalesce(personal_number, provisional_id) AS key,
        rpad(birth_date, 10, '-01-01') AS born,
        household,
        CASE
            WHEN stay_commune IS NOT NULL AND $on_day BETWEEN stay_from AND stay_until THEN 'stay'
            WHEN temporary_commune IS NOT NULL AND temporary_from <= $on_day THEN 'temporary'
            ELSE 'permanent'
        END AS kind,
        commune, address, temporary_commune, temporary_address, stay_commune, stay_address
    FROM people
    WHERE (died_on IS NULL OR died_on > $on_day)
      AND (absent_from IS NULL OR absent_from > $on_day OR absent_until <= $on_day)
)
SELECT
    key,
    CAST(left($on_day, 4) AS INTEGER) - CAST(left(born, 4) AS INTEGER)
        - CAST(substr(born, 6, 5) > substr($on_day, 6, 5) AS INTEGER) AS age,
    CASE kind WHEN 'stay' THEN stay_commune WHEN 'temporary' THEN temporary_commune ELSE commune END AS commune,
    concat_ws('|', coalesce(household, ''), CASE kind
        WHEN 'stay' THEN stay_commune || '|' || stay_address
        WHEN 'temporary' THEN temporary_commune || '|' || temporary_address
        ELSE commune || '|' || address
    END) AS home
FROM placed
WHERE key IS NOT NULL AND born <= $on_day
ORDER BY file_row;
