-- What the coverage snapshot is made from. Run after every migration: each statement replaces what was there.
-- All with the nation's scope, so that figures are about everybody, whoever asks; no name and no identifier is given out.

-- Where people lived and were, for those of `persons` (null: of everybody) whose register entries may ever say two
-- different places: one row a person and period. from_day is null in the first, until_day (the day after the last) in the
-- last. home_unit: permanent residence, between two of them the last one, before the first that one; null without any.
-- present_unit: as zone_register_place says; where the register knows nothing yet, home_unit. In blocks of persons, so
-- that memory stays flat.
CREATE OR REPLACE FUNCTION coverage_places(persons bigint[])
RETURNS TABLE (person_id bigint, from_day date, until_day date, home_unit integer, present_unit integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET khien.area = '{(,)}' SET khien.purpose = 'coverage' SET work_mem = '64MB' SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    block bigint[];
    last bigint := 0;
    asked bigint[];
    days date[];
BEGIN
    LOOP
        IF persons IS NULL THEN
            block := ARRAY(SELECT r.person_id FROM residence r WHERE r.person_id > last GROUP BY r.person_id
                           HAVING count(*) > 1 OR bool_or(r.kind <> 'permanent') ORDER BY r.person_id LIMIT 200000);
            last := block[cardinality(block)];
        ELSE
            block := persons;
        END IF;
        EXIT WHEN cardinality(block) = 0;
        -- Between two days on which a residence begins or ends nothing changes.
        SELECT array_agg(b.person_id), array_agg(b.day) INTO asked, days FROM (
            SELECT DISTINCT r.person_id, d.day
            FROM residence r CROSS JOIN LATERAL (VALUES ('-infinity'::date), (lower(r.valid)), (upper(r.valid))) d (day)
            WHERE r.person_id = ANY (block) AND d.day IS NOT NULL
        ) b;
        RETURN QUERY
        WITH permanent AS MATERIALIZED (  -- read once: looked up one by one, each look-up would go through the whole block
            SELECT r.person_id, coalesce(lower(r.valid), '-infinity') AS day, r.unit_id AS home
            FROM residence r WHERE r.person_id = ANY (block) AND r.kind = 'permanent'
        ), numbered AS (  -- which permanent residence in turn; days before the first go with it
            SELECT a.person_id, a.day, a.unit_id, p.home,
                greatest(count(p.home) OVER (PARTITION BY a.person_id ORDER BY a.day), 1) AS nth
            FROM zone_register_place(asked, days) a LEFT JOIN permanent p ON p.person_id = a.person_id AND p.day = a.day
        ), placed AS (
            SELECT n.person_id, n.day, max(n.home) OVER home AS home, coalesce(n.unit_id, max(n.home) OVER home) AS present
            FROM numbered n WINDOW home AS (PARTITION BY n.person_id, n.nth)
        ), changed AS (
            SELECT p.*, lag(p.day) OVER person IS NULL OR (p.home, p.present)
                IS DISTINCT FROM (lag(p.home) OVER person, lag(p.present) OVER person) AS begins
            FROM placed p WINDOW person AS (PARTITION BY p.person_id ORDER BY p.day)
        )
        SELECT c.person_id, nullif(c.day, '-infinity'), lead(c.day) OVER (PARTITION BY c.person_id ORDER BY c.day),
            c.home, c.present
        FROM changed c WHERE c.begins;
        EXIT WHEN persons IS NOT NULL;
    END LOOP;
END $$;

-- The snapshot's rows: of all people, or of those that changed since a moment. One row a person and period of places (see
-- coverage_places; on any day one row of each person holds), a record's doses with those of records merged into it.
DROP FUNCTION IF EXISTS coverage_rows(text, timestamptz);  -- replacing cannot change the columns
CREATE FUNCTION coverage_rows(of_disease text, since timestamptz DEFAULT NULL)
RETURNS TABLE (person_id bigint, from_day date, until_day date, home_unit integer, present_unit integer, birth_date date,
               sex text, died_on date, dose1_on date, dose2_on date, dose3_on date, dose4_on date, complete_on date,
               merged boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET khien.area = '{(,)}' SET khien.purpose = 'coverage' SET work_mem = '64MB' AS $$
DECLARE
    persons bigint[];
    records bigint[];  -- with those merged into them
BEGIN
    IF since IS NOT NULL THEN
        records := ARRAY(SELECT p.person_id FROM person p WHERE p.changed_at >= since
                         UNION SELECT d.person_id FROM dose d WHERE d.changed_at >= since);
        persons := ARRAY(SELECT unnest(records)
                         UNION SELECT p.merged_into FROM person p WHERE p.person_id = ANY (records) AND p.merged_into IS NOT NULL);
        records := ARRAY(SELECT unnest(persons) UNION SELECT p.person_id FROM person p WHERE p.merged_into = ANY (persons));
    END IF;
    -- Dynamic, because the planner must see whether it is asked for a few people or for a nation.
    RETURN QUERY EXECUTE format($sql$
    WITH counted AS (
        SELECT coalesce(m.merged_into, d.person_id) AS person_id, d.given_on, v.primary_doses,
            row_number() OVER (PARTITION BY coalesce(m.merged_into, d.person_id) ORDER BY d.given_on, d.dose_id) AS nth
        FROM dose d JOIN vaccine_product v ON v.product = d.product
        LEFT JOIN person m ON m.person_id = d.person_id AND m.merged_into IS NOT NULL
        WHERE v.disease = $1 AND d.status = 'completed' AND d.superseded_by IS NULL AND d.counts
          AND d.evidence <> 'declared' %1$s
    ), dosed AS (
        SELECT c.person_id,
            min(c.given_on) FILTER (WHERE nth = 1) AS dose1_on, min(c.given_on) FILTER (WHERE nth = 2) AS dose2_on,
            min(c.given_on) FILTER (WHERE nth = 3) AS dose3_on, min(c.given_on) FILTER (WHERE nth = 4) AS dose4_on,
            min(c.given_on) FILTER (WHERE nth >= c.primary_doses) AS complete_on
        FROM counted c GROUP BY c.person_id
    )
    SELECT p.person_id, l.from_day, l.until_day, coalesce(l.home_unit, p.home_unit), coalesce(l.present_unit, p.present_unit),
        p.birth_date, p.sex, p.died_on, d.dose1_on, d.dose2_on, d.dose3_on, d.dose4_on, d.complete_on,
        p.merged_into IS NOT NULL
    FROM person p LEFT JOIN dosed d ON d.person_id = p.person_id
    LEFT JOIN coverage_places($2) l ON l.person_id = p.person_id
    WHERE %2$s
    $sql$,
    CASE WHEN persons IS NULL THEN '' ELSE 'AND d.person_id = ANY ($3)' END,
    CASE WHEN persons IS NULL THEN 'p.merged_into IS NULL' ELSE 'p.person_id = ANY ($2)' END)
    USING of_disease, persons, records;
END $$;
GRANT EXECUTE ON FUNCTION coverage_rows(text, timestamptz) TO khien_app, khien_loader;
