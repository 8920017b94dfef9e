-- Visits by month, what a case caused, and looking back. Run after every migration, after search.sql.

-- Class of a visit's length: a row of visit_span. Departure not known: as long as a day, by the house rule.
CREATE OR REPLACE FUNCTION visit_class(came_at timestamptz, left_at timestamptz) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (CASE WHEN left_at IS NULL THEN 1 WHEN left_at - came_at <= interval '2 hours' THEN 0
                 WHEN left_at - came_at <= interval '24 hours' THEN 1 ELSE 2 END)::smallint;

-- Months of visits, for the loader, who does not own the table.
CREATE OR REPLACE FUNCTION visit_months_ready(from_day date, before_day date) RETURNS integer
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    RETURN khien_months('visit', from_day, before_day);
SELECT visit_months_ready(current_date, (current_date + interval '2 months')::date);

-- Drop the months of visits that ended before a day, and what the default partition holds of them. The proof (which
-- months, how many visits, a digest of the partition's row count and bounds) stands in the log.
CREATE OR REPLACE FUNCTION visit_expire(before_day date) RETURNS TABLE (partition text, visits bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC'
    SET khien.area = '{(,)}' AS $$
#variable_conflict use_column
DECLARE
    part record;
    many bigint;
BEGIN
    IF before_day > current_date AND (SELECT demo_on IS NULL FROM clock) THEN
        RAISE invalid_parameter_value USING MESSAGE = 'the days to come cannot be dropped';
    END IF;
    FOR part IN
        SELECT c.oid::regclass AS name, c.relname::text AS label FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'visit'::regclass AND c.relname ~ '^visit_\d{4}_\d{2}$'
          AND to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= before_day ORDER BY c.relname
    LOOP
        EXECUTE format('SELECT count(*) FROM %s', part.name) INTO many;
        EXECUTE format('ALTER TABLE visit DETACH PARTITION %s', part.name);
        EXECUTE format('DROP TABLE %s', part.name);
        PERFORM access_append('visit.expire', '{}',
            jsonb_build_object('before', before_day, 'partition', part.label, 'visits', many));
        partition := part.label;
        visits := many;
        RETURN NEXT;
    END LOOP;
    DELETE FROM visit_default WHERE came_at < date_trunc('month', before_day::timestamptz);
    GET DIAGNOSTICS many = ROW_COUNT;
    IF many > 0 THEN
        PERFORM access_append('visit.expire', '{}',
            jsonb_build_object('before', before_day, 'partition', 'visit_default', 'visits', many));
        partition := 'visit_default';
        visits := many;
        RETURN NEXT;
    END IF;
END $$;

-- What a case that proved none had caused, wherever those people live: its contacts are withdrawn, and isolation for it
-- alone ends. Only for a refuted case that the asker sees. Returns the number of contacts.
CREATE OR REPLACE FUNCTION trace_withdraw_all(case_person bigint, case_number bigint, on_day date) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET khien.area = '{(,)}' AS $$
DECLARE
    many integer;
BEGIN
    WITH gone AS (
        UPDATE contact SET state = 'withdrawn'
        WHERE case_person_id = case_person AND case_id = case_number AND state NOT IN ('withdrawn', 'case')
        RETURNING person_id
    ), freed AS (
        UPDATE isolation_order i SET ended_on = greatest(on_day, lower(i.days)), end_reason = 'withdrawn'
        WHERE i.case_person_id = case_person AND i.case_id = case_number AND i.ended_on IS NULL
          AND NOT EXISTS (
              SELECT FROM contact k JOIN case_report r ON r.person_id = k.case_person_id AND r.case_id = k.case_id
              WHERE k.person_id = i.person_id AND (k.case_person_id, k.case_id) <> (case_person, case_number)
                AND k.degree = 1 AND k.state NOT IN ('withdrawn', 'released')
                AND r.state IN ('suspected', 'probable', 'confirmed'))
        RETURNING person_id
    )
    SELECT count(*) INTO many FROM gone;
    RETURN many;
END $$;
CREATE OR REPLACE FUNCTION trace_withdraw(case_person bigint, case_number bigint, on_day date) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM case_report WHERE person_id = case_person AND case_id = case_number AND state = 'refuted') THEN
        RAISE insufficient_privilege USING MESSAGE = 'only a refuted case in the area withdraws its contacts';
    END IF;
    RETURN trace_withdraw_all(case_person, case_number, on_day);
END $$;

-- How many contacts a visible case has in each commune: a tracer knows whom to ask, not who they are.
CREATE OR REPLACE FUNCTION trace_counts_all(case_person bigint, case_number bigint)
    RETURNS TABLE (degree smallint, unit_id integer, contacts bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET khien.area = '{(,)}' AS $$
    SELECT k.degree, p.present_unit, count(*) FROM contact k JOIN person p USING (person_id)
    WHERE k.case_person_id = case_person AND k.case_id = case_number AND k.state <> 'withdrawn'
    GROUP BY 1, 2 ORDER BY 1, 3 DESC
$$;
CREATE OR REPLACE FUNCTION trace_counts(case_person bigint, case_number bigint)
    RETURNS TABLE (degree smallint, unit_id integer, contacts bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM case_report c WHERE c.person_id = case_person AND c.case_id = case_number) THEN
        RETURN QUERY SELECT * FROM trace_counts_all(case_person, case_number);
    END IF;
END $$;

-- Backward: the known cases who were together with a case while it may have been infected. One row an exposure; its
-- hazard is for an infector of unknown onset. With the nation's area; the door below asks for the case.
CREATE OR REPLACE FUNCTION trace_back_all(
    persons bigint[], starts timestamptz[], ends timestamptz[], rule jsonb
) RETURNS TABLE (person_id bigint, infector_id bigint, infector_case bigint, infector_onset date, kind text, place_id bigint,
                 from_at timestamptz, until_at timestamptz, hazard double precision)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET khien.area = '{(,)}' AS $$
    SELECT s.source_id, c.person_id, c.case_id, coalesce(c.onset_on, c.sampled_on), s.exposures::json #>> '{0,0}',
        (s.exposures::json #>> '{0,1}')::bigint, s.from_at, s.until_at, s.hazard
    FROM trace_step(persons, starts, ends, array_fill(NULL::date, ARRAY[cardinality(persons)]), rule, apart => true) s
    JOIN case_report c ON c.person_id = s.person_id AND c.state <> 'refuted'
$$;

-- Places where several of the cases were while they may have been infected: how many of them, and of how many visitors.
CREATE OR REPLACE FUNCTION trace_places_all(persons bigint[], starts timestamptz[], ends timestamptz[], most integer)
    RETURNS TABLE (place_id bigint, cases bigint, visitors bigint, first_at timestamptz, last_at timestamptz, people bigint)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET khien.area = '{(,)}' AS $$
    WITH been AS MATERIALIZED (
        SELECT v.place_id, count(DISTINCT c.p) AS cases, min(v.came_at) AS first_at, max(v.came_at) AS last_at
        FROM unnest(persons, starts, ends) AS c (p, a, b)
        JOIN visit v ON v.person_id = c.p AND v.came_at >= c.a AND v.came_at < c.b
        GROUP BY v.place_id HAVING count(DISTINCT c.p) > 1
        ORDER BY 2 DESC LIMIT 500
    ), size AS (
        -- As the planner knows it; counted where nobody has looked yet.
        SELECT CASE WHEN reltuples >= 0 THEN reltuples::bigint ELSE (SELECT count(*) FROM person) END AS people
        FROM pg_class WHERE oid = 'person'::regclass
    )
    SELECT b.place_id, b.cases, greatest(n.visitors, b.cases), b.first_at, b.last_at, s.people
    FROM been b CROSS JOIN size s CROSS JOIN LATERAL (
        SELECT count(DISTINCT w.person_id) AS visitors FROM (
            SELECT v.person_id FROM (VALUES (0::smallint), (1::smallint), (2::smallint)) c (span)
            JOIN visit v ON v.place_id = b.place_id AND v.span = c.span AND v.came_at >= b.first_at AND v.came_at <= b.last_at
            LIMIT most) w
    ) n
$$;

-- Whether all of these are cases, not refuted, that the asker sees. Otherwise nothing is searched.
CREATE OR REPLACE FUNCTION trace_must_see(persons bigint[]) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (SELECT count(DISTINCT c.person_id) FROM case_report c WHERE c.person_id = ANY (persons) AND c.state <> 'refuted')
       < (SELECT count(DISTINCT p) FROM unnest(persons) p) THEN
        RAISE insufficient_privilege USING MESSAGE = 'a trace needs a case in the area';
    END IF;
END $$;
CREATE OR REPLACE FUNCTION trace_back(persons bigint[], starts timestamptz[], ends timestamptz[], rule jsonb)
    RETURNS TABLE (person_id bigint, infector_id bigint, infector_case bigint, infector_onset date, kind text,
                   place_id bigint, from_at timestamptz, until_at timestamptz, hazard double precision)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM trace_must_see(persons);
    RETURN QUERY SELECT * FROM trace_back_all(persons, starts, ends, rule);
END $$;
CREATE OR REPLACE FUNCTION trace_places(persons bigint[], starts timestamptz[], ends timestamptz[], most integer)
    RETURNS TABLE (place_id bigint, cases bigint, visitors bigint, first_at timestamptz, last_at timestamptz, people bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM trace_must_see(persons);
    RETURN QUERY SELECT * FROM trace_places_all(persons, starts, ends, most);
END $$;

GRANT EXECUTE ON FUNCTION trace_back(bigint[], timestamptz[], timestamptz[], jsonb),
    trace_places(bigint[], timestamptz[], timestamptz[], integer), trace_counts(bigint, bigint), trace_withdraw(bigint, bigint, date), visit_months_ready(date, date), visit_expire(date)
    TO khien_app, khien_loader;
