-- DuckDB questions on the snapshot with the register's changes since laid over it. The snapshot (Parquet) has one row a
-- person and period in which the register has that person in one place: on any day exactly one of each person's rows holds.

-- name: columns
person_id BIGINT, from_day DATE, until_day DATE, home_unit INTEGER, present_unit INTEGER, birth_date DATE, sex VARCHAR, died_on DATE,
dose1_on DATE, dose2_on DATE, dose3_on DATE, dose4_on DATE, complete_on DATE, merged BOOLEAN

-- name: moment
-- (PostgreSQL) Now, and whether nobody else is writing.
SELECT clock_timestamp() AS at, pg_snapshot_xmin(s) = pg_snapshot_xmax(s) AS quiet FROM pg_current_snapshot() s

-- name: changed
CREATE TEMP TABLE changed AS SELECT * FROM read_csv($source, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', nullstr = '',
              dateformat = '%Y-%m-%d', columns = $columns)

-- name: write_snapshot
-- Rows near each other in the tree lie near each other in the file: a question on one province skips the others.
COPY (SELECT * FROM read_csv($source, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', nullstr = '',
              dateformat = '%Y-%m-%d', columns = $columns) ORDER BY home_unit)
TO '{target}' (FORMAT parquet, COMPRESSION zstd);

-- name: count_people
SELECT count(*) FROM read_parquet('{target}') WHERE from_day IS NULL

-- name: people
-- Everybody as of now: the snapshot, except whoever changed since, and those as the register has them.
CREATE TEMP VIEW people AS
SELECT * FROM read_parquet('{snapshot}') WHERE person_id NOT IN (SELECT person_id FROM changed)
UNION ALL BY NAME
SELECT * FROM changed WHERE NOT merged;

-- name: places_of
-- Which units of a range of ids people live in or are in: a range that nobody is in costs nothing.
SELECT DISTINCT {place} FROM people WHERE {place} BETWEEN $first_id AND $last_id

-- name: carried
-- Where units that the day does not have are counted.
CREATE TEMP TABLE carried AS SELECT unnest($units::INTEGER[]) AS unit, unnest($places::INTEGER[]) AS counted_in

-- name: placed
-- Everybody with the unit they are counted in.
CREATE TEMP VIEW placed AS SELECT *, {place} AS unit FROM people

-- name: placed_carried
CREATE TEMP VIEW placed AS
SELECT *, {place} AS unit FROM people WHERE {place} NOT IN (SELECT unit FROM carried)
UNION ALL
SELECT p.*, c.counted_in FROM people p JOIN carried c ON c.unit = p.{place};

-- name: by_unit
-- One row a shown unit: the living of the chosen ages on the day, where they lived or were on that day, and how many of
-- exactly those had their doses by then; so no share can exceed 1.
WITH shown AS (
    SELECT unnest($firsts::INTEGER[]) AS unit_id, unnest($lasts::INTEGER[]) AS last_id
), counted AS (
    SELECT unit, count(*) AS people, count(*) FILTER (dose1_on <= $on_day) AS dose1,
        count(*) FILTER (dose2_on <= $on_day) AS dose2, count(*) FILTER (dose3_on <= $on_day) AS dose3,
        count(*) FILTER (complete_on <= $on_day) AS complete
    FROM placed
    WHERE unit BETWEEN $first_id AND $last_id
      AND (from_day IS NULL OR from_day <= $on_day) AND (until_day IS NULL OR until_day > $on_day)
      AND birth_date <= $born_by AND birth_date > $born_after AND (died_on IS NULL OR died_on > $on_day)
    GROUP BY unit
)
SELECT s.unit_id, coalesce(sum(c.people), 0)::BIGINT, coalesce(sum(c.dose1), 0)::BIGINT, coalesce(sum(c.dose2), 0)::BIGINT,
    coalesce(sum(c.dose3), 0)::BIGINT, coalesce(sum(c.complete), 0)::BIGINT
FROM shown s LEFT JOIN counted c ON c.unit BETWEEN s.unit_id AND s.last_id
GROUP BY s.unit_id
ORDER BY s.unit_id;

-- name: by_day
-- Doses a day up to the day of those who then live within an area, for the curve.
SELECT given_on, count(*) AS doses FROM (
    SELECT unnest([dose1_on, dose2_on, dose3_on, dose4_on]) AS given_on FROM placed
    WHERE unit BETWEEN $first_id AND $last_id
      AND (from_day IS NULL OR from_day <= $on_day) AND (until_day IS NULL OR until_day > $on_day))
WHERE given_on IS NOT NULL AND given_on <= $on_day
GROUP BY given_on ORDER BY given_on;
