-- The search for people who were together, and the contacts of cases. Run after every migration.

-- Sum of a case's infectiousness between two moments, in days' shares times hours a day; onset null: not known.
CREATE OR REPLACE FUNCTION trace_infectiousness(day date, onset date, first_day integer, by_day double precision[],
                                                unknown double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN onset IS NULL THEN unknown ELSE coalesce(by_day[(day - onset) - first_day + 1], 0) END;

-- Who was together with whom. One row an exposure: a source (a case, or one who may be) within its window, somebody
-- else, where, from when to when. All times half-open; a touch of zero length is none. `rule` is made by
-- tracing.rules.exposure.for_sql. On journeys with numbered seats only who sat near counts. `crowded` are places where a
-- crowd was cut at a lower degree; `most_found`: exposures listed; `far`: sources are contacts, not cases, less is read.
-- A row without a person names what was cut: `cut` says why, `total` of how many.
--   crowd      more people met at one visit than the rule follows; the longest together are kept
--   crowded    visits to places where a crowd was cut before are not followed again; `total` visits
--   read       more visits at that place and time than are read for one visit; the latest to arrive are read
--   busy       more visits of the source than the rule follows; the latest are kept
--   too_long   the source's visit was longer than anybody stays there; its beginning is kept
--   household  more members than a household has; some are kept
--   work       more exposures than one search lists; the last `total` visits, of the last sources, are not followed
-- Others' visits that are too long count with their beginning. Runs for owners of the tables, with the nation as area.
DROP FUNCTION IF EXISTS trace_step(bigint[], timestamptz[], timestamptz[], date[], jsonb);
CREATE OR REPLACE FUNCTION trace_step(
    sources bigint[], starts timestamptz[], ends timestamptz[], onsets date[], rule jsonb, crowded bigint[] = '{}',
    most_found integer = NULL, far boolean = false
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
    v_most_read integer := (rule ->> CASE WHEN far THEN 'most_read_far' ELSE 'most_read' END)::integer;
    v_most_home integer := (rule ->> 'most_household')::integer;
    v_most_found integer := coalesce(most_found, (rule ->> 'most_exposures')::integer
                                                 + (rule ->> 'exposures_a_case')::integer * cardinality(sources));
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
        SELECT o.*, row_number() OVER () AS n,
            o.a - interval '2 hours' AS low0, o.a - interval '24 hours' AS low1, o.a - interval '60 days' AS low2,
            o.factor * trace_infectiousness((o.a AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, o.onset, v_first, v_by_day,
                                            v_unknown) / 3600 AS a_second,
            CASE WHEN o.kind = 'travel' AND v_rows IS NOT NULL THEN (  -- '12A' is in row 12
                SELECT substring(t.seat FROM '^([0-9]{1,3})[A-Za-z]?$')::integer FROM visit t
                WHERE t.person_id = o.source_id AND t.came_at = o.came_at AND t.place_id = o.place_id AND t.seat IS NOT NULL
            ) END AS seat_row
        FROM own o WHERE o.a < o.b AND o.place_id <> ALL (crowded)
    ), met AS MATERIALIZED (
        SELECT o.n, o.source_id, w.person_id, o.kind, o.place_id, w.a, w.b, w.seconds, o.a_second * w.seconds AS hazard,
            w.read > v_most_read AS unread
        FROM probe o CROSS JOIN LATERAL (
            SELECT z.*, date_part('epoch', z.b - z.a)::bigint AS seconds FROM (
                SELECT y.person_id, y.read, greatest(y.came_at, o.a) AS a, least(y.finish, o.b) AS b
                FROM (
                    SELECT v.person_id, v.came_at, v.read, CASE WHEN c.span = 0 THEN v.left_at
                        ELSE least(coalesce(v.left_at, v.came_at + v_assumed), v.came_at + o.longest) END AS finish
                    FROM (VALUES (0::smallint, o.low0), (1::smallint, o.low1), (2::smallint, o.low2)) c (span, low)
                    CROSS JOIN LATERAL (
                        SELECT v.person_id, v.came_at, v.left_at, row_number() OVER (ORDER BY v.came_at DESC) AS read
                        FROM visit v
                        WHERE v.place_id = o.place_id AND v.span = c.span AND v.came_at < o.b AND v.came_at > c.low
                          AND v.came_at > v_min AND v.came_at < v_max
                        ORDER BY v.came_at DESC LIMIT v_most_read + 1
                    ) v
                    WHERE c.span < 2 OR v_long
                    OFFSET 0  -- so that the end is worked out once
                ) y
                WHERE (y.finish > o.a AND y.person_id <> o.source_id AND (o.seat_row IS NULL OR coalesce(abs(o.seat_row - (
                        SELECT substring(t.seat FROM '^([0-9]{1,3})[A-Za-z]?$')::integer FROM visit t
                        WHERE t.person_id = y.person_id AND t.came_at = y.came_at AND t.place_id = o.place_id
                          AND t.seat IS NOT NULL)) <= v_rows, true)))
                    OR y.read > v_most_read
                OFFSET 0
            ) z
        ) w
        WHERE (w.seconds > 0 AND w.seconds >= o.min_seconds) OR w.read > v_most_read
        LIMIT v_most_found + 1
    ), crowd AS MATERIALIZED (
        SELECT m.n, m.source_id, m.kind, m.place_id, count(*) AS met FROM met m WHERE NOT m.unread
        GROUP BY m.n, m.source_id, m.kind, m.place_id HAVING count(*) > v_most_met
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
    SELECT m.source_id, m.person_id, m.kind, m.place_id, m.a, m.b, m.seconds, m.hazard, NULL::text, NULL::bigint
    FROM met m WHERE NOT m.unread AND m.n NOT IN (SELECT c.n FROM crowd c)
    UNION ALL
    SELECT m.source_id, m.person_id, m.kind, m.place_id, m.a, m.b, m.seconds, m.hazard, NULL::text, NULL::bigint
    FROM (SELECT m.*, row_number() OVER (PARTITION BY m.n ORDER BY m.seconds DESC, m.person_id) AS place
          FROM met m WHERE NOT m.unread AND m.n = ANY (ARRAY(SELECT c.n FROM crowd c))) m
    WHERE m.place <= v_most_met
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
    SELECT c.source_id, NULL::bigint, c.kind, c.place_id, NULL::timestamptz, NULL::timestamptz, NULL::bigint, NULL::float8,
        'crowd', max(c.met)
    FROM crowd c GROUP BY 1, 3, 4
    UNION ALL
    SELECT min(o.source_id), NULL, o.kind, o.place_id, min(o.a), max(o.b), NULL, NULL, 'crowded', count(*)
    FROM own o WHERE o.place_id = ANY (crowded) GROUP BY 3, 4
    UNION ALL
    SELECT DISTINCT m.source_id, NULL::bigint, m.kind, m.place_id, NULL::timestamptz, NULL::timestamptz, NULL::bigint,
        NULL::float8, 'read', v_most_read::bigint
    FROM met m WHERE m.unread
    UNION ALL
    SELECT DISTINCT o.source_id, NULL::bigint, NULL::text, NULL::bigint, NULL::timestamptz, NULL::timestamptz, NULL::bigint,
        NULL::float8, 'busy', o.visits
    FROM own o WHERE o.visits > v_most_visits
    UNION ALL
    SELECT o.source_id, NULL, o.kind, o.place_id, o.came_at, o.left_at, NULL, NULL, 'too_long', NULL
    FROM own o WHERE o.too_long
    UNION ALL
    SELECT s.source_id, NULL, 'household', NULL, NULL, NULL, NULL, NULL, 'household', v_most_home::bigint
    FROM src s WHERE EXISTS (
        SELECT FROM household_member mine CROSS JOIN LATERAL (
            SELECT FROM household_member m WHERE m.household_id = mine.household_id OFFSET v_most_home LIMIT 1) further
        WHERE mine.person_id = s.source_id)
    UNION ALL
    SELECT sources[1], NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'work', (SELECT max(p.n) FROM probe p) - max(m.n) + 1
    FROM met m HAVING count(*) > v_most_found;
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
    v_crowded bigint[] := '{}';
    v_budget integer := (rule ->> 'most_exposures')::integer
        + (rule ->> 'exposures_a_case')::integer * cardinality(persons);
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
            ('[' || string_agg(CASE WHEN s.cut IS NULL THEN  -- put together by hand: half the time of json_build_object
                    '{"kind": ' || to_json(s.kind) || ', "place": ' || coalesce(s.place_id::text, 'null') || ', "from": '
                    || to_json(s.from_at) || ', "until": ' || to_json(s.until_at) || ', "seconds": ' || s.seconds || '}'
                ELSE json_build_object('cut', s.cut, 'total', s.total, 'kind', s.kind, 'place', s.place_id,
                                       'from', s.from_at, 'until', s.until_at)::text
                END, ', ' ORDER BY s.hazard DESC, s.from_at) || ']')::json
        FROM trace_step(v_sources, v_starts, v_ends, v_onsets, rule, v_crowded, v_budget, v_level > 1) s
        WHERE v_level = 1 OR s.person_id IS NULL OR s.person_id NOT IN (SELECT o.person_id FROM trace_origin o)
        GROUP BY s.source_id, s.person_id;
        EXIT WHEN v_level = depth;
        v_crowded := v_crowded || ARRAY(
            SELECT DISTINCT (e ->> 'place')::bigint FROM trace_found f CROSS JOIN json_array_elements(f.exposures) e
            WHERE f.degree = v_level AND f.person_id IS NULL AND e ->> 'cut' IN ('crowd', 'read'));
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

GRANT EXECUTE ON FUNCTION
    trace_contacts(bigint[], bigint[], timestamptz[], timestamptz[], date[], timestamptz, integer, jsonb, text)
    TO khien_app, khien_loader;
