-- Visits by month, and the search for people who were together. Run after every migration.

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

-- Sum of a case's infectiousness between two moments, in days' shares times hours a day; onset null: not known.
CREATE OR REPLACE FUNCTION trace_infectiousness(day date, onset date, first_day integer, by_day double precision[],
                                                unknown double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN onset IS NULL THEN unknown ELSE coalesce(by_day[(day - onset) - first_day + 1], 0) END;

-- Whether two on a journey sat near: at most so many rows apart. Where a seat is not known ('12A': row 12), all did.
CREATE OR REPLACE FUNCTION trace_seats_near(
    one bigint, one_at timestamptz, other bigint, other_at timestamptz, vehicle bigint, most integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(abs(substring(a.seat FROM '^([0-9]{1,3})[A-Za-z]?$')::integer
                        - substring(b.seat FROM '^([0-9]{1,3})[A-Za-z]?$')::integer) <= most, true)
    FROM visit a, visit b
    WHERE a.person_id = one AND a.came_at = one_at AND a.place_id = vehicle
      AND b.person_id = other AND b.came_at = other_at AND b.place_id = vehicle
$$;

-- Who was together with whom. One row an exposure: a source (a case, or one who may be) within its window, somebody
-- else, where, from when to when. All times half-open; a touch of zero length is none. `rule` is made by
-- tracing.rules.exposure.for_sql. A row without a person names what was cut: `cut` says why, `total` of how many.
--   crowd      more people met at one visit than the rule follows; the longest together are kept
--   busy       more visits of the source than the rule follows; the latest are kept
--   too_long   the source's visit was longer than anybody stays there; its beginning is kept
-- Others' visits that are too long count with their beginning. Runs for owners of the tables, with the nation as area.
CREATE OR REPLACE FUNCTION trace_step(
    sources bigint[], starts timestamptz[], ends timestamptz[], onsets date[], rule jsonb
) RETURNS TABLE (source_id bigint, person_id bigint, kind text, place_id bigint, from_at timestamptz,
                 until_at timestamptz, seconds bigint, hazard double precision, cut text, total bigint)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_custom_plan
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET jit = off
    SET max_parallel_workers_per_gather = 0 AS $$
#variable_conflict use_column
DECLARE
    v_assumed interval := make_interval(mins => (rule ->> 'assumed_minutes')::integer);
    v_longest interval := make_interval(hours => (rule ->> 'longest_hours')::integer);
    v_stay interval := make_interval(hours => (rule ->> 'stay_hours')::integer);
    v_stay_kinds text[] := ARRAY(SELECT jsonb_array_elements_text(rule -> 'stay_kinds'));
    v_home_hours double precision := (rule ->> 'household_hours')::float8;
    v_rows integer := (rule ->> 'seat_rows')::integer;
    v_most_visits integer := (rule ->> 'most_visits')::integer;
    v_most_met integer := (rule ->> 'most_met')::integer;
    v_most_read integer := (rule ->> 'most_read')::integer;
    v_most_home integer := (rule ->> 'most_household')::integer;
    v_rate jsonb := rule -> 'rate';
    v_minutes jsonb := rule -> 'minutes';
    v_air jsonb := rule -> 'ventilation';
    v_area double precision := (rule ->> 'area_reference')::float8;
    v_power double precision := (rule ->> 'area_power')::float8;
    v_first integer := (rule ->> 'first_day')::integer;
    v_by_day double precision[] := ARRAY(SELECT jsonb_array_elements_text(rule -> 'by_day')::float8);
    v_unknown double precision := (rule ->> 'unknown')::float8;
    -- Known when the query is planned: months that cannot matter are left out there, not at every probe.
    v_max timestamptz := (SELECT max(e) FROM unnest(ends) e);
    v_early timestamptz := (SELECT min(s) FROM unnest(starts) s);
    v_long boolean := EXISTS (SELECT FROM visit v WHERE v.span = 2 AND v.came_at > v_early - interval '60 days'
                              AND v.came_at < v_max);
    v_min timestamptz := v_early - CASE WHEN v_long THEN interval '60 days' ELSE interval '48 hours' END;
BEGIN
    RETURN QUERY
    WITH src AS MATERIALIZED (
        SELECT s.source_id, s.start, s.finish, s.onset,
            s.start - CASE WHEN v_long THEN interval '60 days' ELSE interval '24 hours' END AS low
        FROM unnest(sources, starts, ends, onsets) AS s (source_id, start, finish, onset)
        WHERE s.start < s.finish
    ), own AS MATERIALIZED (
        SELECT s.source_id, s.onset, v.*, p.kind, p.longest, p.min_seconds,
            greatest(v.came_at, s.start) AS a,
            least(coalesce(v.left_at, v.came_at + v_assumed), v.came_at + p.longest, s.finish) AS b,
            v.left_at > v.came_at + p.longest AS too_long,
            p.factor
        FROM src s
        CROSS JOIN LATERAL (
            SELECT v.place_id, v.came_at, v.left_at, count(*) OVER () AS visits
            FROM visit v
            WHERE v.person_id = s.source_id AND v.came_at < s.finish AND v.came_at > s.low AND v.came_at > v_min
              AND v.came_at < v_max
              AND coalesce(v.left_at, v.came_at + v_assumed) > s.start
            ORDER BY v.came_at DESC LIMIT v_most_visits
        ) v
        CROSS JOIN LATERAL (
            SELECT q.kind, CASE WHEN q.kind = ANY (v_stay_kinds) THEN v_stay ELSE v_longest END AS longest,
                60 * coalesce(v_minutes ->> q.kind, v_minutes ->> 'any')::integer AS min_seconds,
                coalesce(v_rate ->> q.kind, v_rate ->> 'any')::float8
                    * (v_air ->> q.ventilation)::float8
                    * coalesce(least(1, v_area / q.floor_area) ^ v_power, 1) AS factor
            FROM place q WHERE q.place_id = v.place_id
        ) p
    ), probe AS MATERIALIZED (  -- bounds as plain values: row-level security lets only those into an index condition
        SELECT o.*, o.a - interval '2 hours' AS low0, o.a - interval '24 hours' AS low1, o.a - interval '60 days' AS low2,
            o.factor * trace_infectiousness((o.a AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, o.onset, v_first, v_by_day,
                                            v_unknown) / 3600 AS a_second
        FROM own o WHERE o.a < o.b
    ), met AS MATERIALIZED (
        SELECT o.source_id, w.person_id, o.kind, o.place_id, w.a, w.b, w.seconds, o.a_second * w.seconds AS hazard, w.met,
            o.came_at AS mine_at, w.came_at AS other_at
        FROM probe o CROSS JOIN LATERAL (
            SELECT x.*, count(*) OVER () AS met
            FROM (
                SELECT y.person_id, y.came_at, greatest(y.came_at, o.a) AS a, least(y.finish, o.b) AS b,
                    date_part('epoch', least(y.finish, o.b) - greatest(y.came_at, o.a))::bigint AS seconds
                FROM (
                    SELECT v.person_id, v.came_at,
                        least(coalesce(v.left_at, v.came_at + v_assumed), v.came_at + o.longest) AS finish
                    FROM (VALUES (0::smallint, o.low0), (1::smallint, o.low1), (2::smallint, o.low2)) c (span, low)
                    CROSS JOIN LATERAL (
                        SELECT v.person_id, v.came_at, v.left_at FROM visit v
                        WHERE v.place_id = o.place_id AND v.span = c.span AND v.came_at < o.b AND v.came_at > c.low
                          AND v.came_at > v_min AND v.came_at < v_max
                        LIMIT v_most_read
                    ) v
                    WHERE c.span < 2 OR v_long
                ) y
                WHERE y.finish > o.a AND y.finish > y.came_at AND y.person_id <> o.source_id
            ) x
            WHERE x.seconds > 0 AND x.seconds >= o.min_seconds
            ORDER BY x.seconds DESC, x.person_id LIMIT v_most_met
        ) w
    ), home AS (
        SELECT s.source_id, m.person_id, s.onset, m.kind,
            greatest(s.start, m.first::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh') AS a,
            least(s.finish, m.last::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh') AS b
        FROM src s
        CROSS JOIN LATERAL (
            SELECT other.person_id, 'household' AS kind,
                greatest(lower(mine.valid), lower(other.valid)) AS first, least(upper(mine.valid), upper(other.valid)) AS last
            FROM household_member mine
            CROSS JOIN LATERAL (SELECT m.person_id, m.valid FROM household_member m
                                WHERE m.household_id = mine.household_id LIMIT v_most_home) other
            WHERE mine.person_id = s.source_id AND other.person_id <> s.source_id AND mine.valid && other.valid
            UNION ALL
            SELECT other.person_id, 'stay', greatest(lower(mine.valid), lower(other.valid)),
                least(upper(mine.valid), upper(other.valid))
            FROM residence mine
            CROSS JOIN LATERAL (SELECT r.person_id, r.valid FROM residence r
                                WHERE r.unit_id = mine.unit_id AND r.address = mine.address AND r.kind = 'stay'
                                LIMIT v_most_home) other
            WHERE mine.person_id = s.source_id AND mine.kind = 'stay' AND mine.address <> ''
              AND other.person_id <> s.source_id AND mine.valid && other.valid
            UNION ALL  -- a guest and the household at that address, both ways
            SELECT host.person_id, 'stay', greatest(lower(mine.valid), lower(host.valid)),
                least(upper(mine.valid), upper(host.valid))
            FROM residence mine JOIN household h ON h.unit_id = mine.unit_id AND h.address = mine.address
            CROSS JOIN LATERAL (SELECT m.person_id, m.valid FROM household_member m
                                WHERE m.household_id = h.household_id LIMIT v_most_home) host
            WHERE mine.person_id = s.source_id AND mine.kind = 'stay' AND mine.address <> ''
              AND host.person_id <> s.source_id AND mine.valid && host.valid
            UNION ALL
            SELECT guest.person_id, 'stay', greatest(lower(mine.valid), lower(guest.valid)),
                least(upper(mine.valid), upper(guest.valid))
            FROM household_member mine JOIN household h USING (household_id)
            CROSS JOIN LATERAL (SELECT r.person_id, r.valid FROM residence r
                                WHERE r.unit_id = h.unit_id AND r.address = h.address AND r.kind = 'stay' AND h.address <> ''
                                LIMIT v_most_home) guest
            WHERE mine.person_id = s.source_id AND guest.person_id <> s.source_id AND mine.valid && guest.valid
        ) m
    )
    SELECT m.source_id, m.person_id, m.kind, m.place_id, m.a, m.b, m.seconds, m.hazard, NULL::text, NULL::bigint FROM met m
    WHERE CASE WHEN m.kind = 'travel' AND v_rows IS NOT NULL  -- seats are looked up on journeys alone
          THEN trace_seats_near(m.source_id, m.mine_at, m.person_id, m.other_at, m.place_id, v_rows) ELSE true END
    UNION ALL
    SELECT h.source_id, h.person_id, h.kind, NULL, h.a, h.b,
        (extract(epoch FROM h.b - h.a) * v_home_hours / 24)::bigint,
        coalesce(v_rate ->> h.kind, v_rate ->> 'any')::float8 * v_home_hours / 24 * (
            SELECT sum(trace_infectiousness((day AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, h.onset, v_first, v_by_day, v_unknown)
                       * extract(epoch FROM least(h.b, day + interval '1 day') - greatest(h.a, day))::float8 / 3600)
            FROM generate_series(date_trunc('day', h.a, 'Asia/Ho_Chi_Minh'), h.b - interval '1 microsecond',
                                 interval '1 day') AS day),
        NULL, NULL
    FROM home h WHERE h.a < h.b
    UNION ALL
    SELECT DISTINCT m.source_id, NULL::bigint, m.kind, m.place_id, NULL::timestamptz, NULL::timestamptz, NULL::bigint,
        NULL::float8, 'crowd', m.met
    FROM met m WHERE m.met > v_most_met
    UNION ALL
    SELECT DISTINCT o.source_id, NULL::bigint, NULL::text, NULL::bigint, NULL::timestamptz, NULL::timestamptz, NULL::bigint, NULL::float8,
        'busy', o.visits
    FROM own o WHERE o.visits > v_most_visits
    UNION ALL
    SELECT o.source_id, NULL, o.kind, o.place_id, o.came_at, o.left_at, NULL, NULL, 'too_long', NULL
    FROM own o WHERE o.too_long;
END $$;

-- From cases to their contacts of degree 1 to `depth`, all at once. Every case must be open and visible to whoever asks:
-- the check runs with the asker's area, the search with the nation's. `keep`, the id of the contact rule, writes the
-- contacts down, wherever they live: their communes' work lists show them. Cuts come as rows without a person, `exposures`
-- saying what was cut. Degree 2 and more are sought once for all cases: through the contact of the highest score.
-- `exposures` is JSON text: it is passed on, seldom looked into.
CREATE OR REPLACE FUNCTION trace_search(
    persons bigint[], cases bigint[], starts timestamptz[], ends timestamptz[], onsets date[], moment timestamptz,
    depth integer, rule jsonb, keep text
) RETURNS TABLE (degree integer, case_person_id bigint, case_id bigint, via_person_id bigint, person_id bigint,
                 score double precision, seconds bigint, first_at timestamptz, last_at timestamptz, exposures json)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET khien.area = '{(,)}'
    SET work_mem = '128MB' SET jit = off SET client_min_messages = warning AS $$
#variable_conflict use_column
DECLARE
    v_level integer;
    v_latent interval := make_interval(hours => (rule ->> 'latent_hours')::integer);
    v_most integer := (rule ->> 'most_sources')::integer;
    v_sources bigint[] := persons;
    v_starts timestamptz[] := starts;
    v_ends timestamptz[] := ends;
    v_onsets date[] := onsets;
    v_found bigint;
BEGIN
    CREATE TEMP TABLE IF NOT EXISTS trace_found (
        degree integer, source_id bigint, person_id bigint, score float8, seconds bigint, first_at timestamptz,
        last_at timestamptz, exposures json) ON COMMIT DROP;
    CREATE TEMP TABLE IF NOT EXISTS trace_origin (person_id bigint, case_person_id bigint, case_id bigint, degree integer)
        ON COMMIT DROP;
    TRUNCATE trace_found, trace_origin;
    DROP TABLE IF EXISTS trace_result;
    INSERT INTO trace_origin SELECT DISTINCT ON (p) p, p, c, 0 FROM unnest(persons, cases) AS t (p, c);
    FOR v_level IN 1..depth LOOP
        INSERT INTO trace_found
        SELECT v_level, s.source_id, s.person_id, 1 - exp(-sum(s.hazard)), sum(s.seconds), min(s.from_at), max(s.until_at),
            json_agg(CASE WHEN s.cut IS NULL THEN
                    json_build_object('kind', s.kind, 'place', s.place_id, 'from', s.from_at, 'until', s.until_at,
                                      'seconds', s.seconds)
                ELSE json_build_object('cut', s.cut, 'total', s.total, 'kind', s.kind, 'place', s.place_id,
                                       'from', s.from_at, 'until', s.until_at) END ORDER BY s.hazard DESC, s.from_at)
        FROM trace_step(v_sources, v_starts, v_ends, v_onsets, rule) s
        WHERE v_level = 1 OR s.person_id IS NULL OR s.person_id NOT IN (SELECT o.person_id FROM trace_origin o)
        GROUP BY s.source_id, s.person_id;
        EXIT WHEN v_level = depth;
        INSERT INTO trace_origin
        SELECT DISTINCT ON (f.person_id) f.person_id, o.case_person_id, o.case_id, v_level
        FROM trace_found f JOIN trace_origin o ON o.person_id = f.source_id AND o.degree = v_level - 1
        WHERE f.degree = v_level AND f.person_id IS NOT NULL
          AND f.person_id NOT IN (SELECT x.person_id FROM trace_origin x)
        ORDER BY f.person_id, f.score DESC, o.case_person_id;
        SELECT count(*), array_agg(n.person_id), array_agg(n.start), array_agg(moment), array_agg(NULL::date)
        INTO v_found, v_sources, v_starts, v_ends, v_onsets FROM (
            SELECT f.person_id, min(f.first_at) + v_latent AS start, count(*) OVER () AS many
            FROM trace_found f JOIN trace_origin o ON o.person_id = f.person_id AND o.degree = v_level
            WHERE f.degree = v_level GROUP BY f.person_id ORDER BY max(f.score) DESC, f.person_id LIMIT v_most
        ) n;
        IF v_found = v_most THEN
            SELECT count(*) INTO v_found FROM trace_origin o WHERE o.degree = v_level;
            IF v_found > v_most THEN
                INSERT INTO trace_found SELECT v_level, persons[1], NULL, NULL, NULL, NULL, NULL,
                    json_build_array(json_build_object('cut', 'sources', 'total', v_found));
            END IF;
        END IF;
        EXIT WHEN v_sources IS NULL;
    END LOOP;
    -- Somebody met through several people is one contact: through whom the score is highest.
    CREATE TEMP TABLE trace_result ON COMMIT DROP AS
    SELECT DISTINCT ON (f.degree, o.case_person_id, f.person_id, CASE WHEN f.person_id IS NULL THEN f.source_id END)
        f.degree, o.case_person_id, o.case_id, CASE WHEN f.degree > 1 THEN f.source_id END AS via_person_id, f.person_id,
        f.score, f.seconds, f.first_at, f.last_at, f.exposures
    FROM trace_found f JOIN trace_origin o ON o.person_id = f.source_id AND o.degree = f.degree - 1
    ORDER BY f.degree, o.case_person_id, f.person_id, CASE WHEN f.person_id IS NULL THEN f.source_id END, f.score DESC,
        f.source_id;
    IF keep IS NOT NULL THEN
        INSERT INTO contact AS c (person_id, case_person_id, case_id, degree, via_person_id, score, seconds, first_at,
            last_at, exposures, rule, state, traced_at)
        SELECT r.person_id, r.case_person_id, r.case_id, r.degree, r.via_person_id, r.score, r.seconds, r.first_at,
            r.last_at, r.exposures::jsonb, keep,
            CASE WHEN EXISTS (SELECT FROM case_report o WHERE o.person_id = r.person_id
                              AND o.state IN ('suspected', 'probable', 'confirmed')) THEN 'case' ELSE 'listed' END, moment
        FROM trace_result r WHERE r.person_id IS NOT NULL
        ON CONFLICT (person_id, case_person_id, case_id) DO UPDATE SET degree = excluded.degree,
            via_person_id = excluded.via_person_id, score = excluded.score, seconds = excluded.seconds,
            first_at = excluded.first_at, last_at = excluded.last_at, exposures = excluded.exposures,
            rule = excluded.rule, traced_at = excluded.traced_at,
            state = CASE WHEN c.state = 'withdrawn' THEN 'listed' ELSE c.state END;
    END IF;
    RETURN QUERY SELECT * FROM trace_result;
    DROP TABLE trace_result;
END $$;

-- The door to the search: asks whether every case is open and visible to the asker, then searches the nation.
CREATE OR REPLACE FUNCTION trace_contacts(
    persons bigint[], cases bigint[], starts timestamptz[], ends timestamptz[], onsets date[], moment timestamptz,
    depth integer, rule jsonb, keep text
) RETURNS TABLE (degree integer, case_person_id bigint, case_id bigint, via_person_id bigint, person_id bigint,
                 score double precision, seconds bigint, first_at timestamptz, last_at timestamptz, exposures json)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (SELECT count(*) FROM unnest(persons, cases) AS t (p, c)
        JOIN case_report r ON r.person_id = t.p AND r.case_id = t.c
        WHERE r.state IN ('suspected', 'probable', 'confirmed')) < cardinality(persons) THEN
        RAISE insufficient_privilege USING MESSAGE = 'a trace needs an open case in the area';
    END IF;
    RETURN QUERY SELECT * FROM trace_search(persons, cases, starts, ends, onsets, moment, depth, rule, keep);
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
    SELECT s.source_id, c.person_id, c.case_id, coalesce(c.onset_on, c.sampled_on), s.kind, s.place_id, s.from_at, s.until_at,
        s.hazard
    FROM trace_step(persons, starts, ends, array_fill(NULL::date, ARRAY[cardinality(persons)]), rule) s
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
        SELECT greatest(sum(reltuples), 1)::bigint AS people FROM pg_class WHERE oid = 'person'::regclass
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
    trace_places(bigint[], timestamptz[], timestamptz[], integer), trace_counts(bigint, bigint), trace_withdraw(bigint, bigint, date), visit_months_ready(date, date), visit_expire(date),
    trace_contacts(bigint[], bigint[], timestamptz[], timestamptz[], date[], timestamptz, integer, jsonb, text)
    TO khien_app, khien_loader;
