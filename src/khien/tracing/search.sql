-- The search for people who were together, and the contacts of cases. Run after every migration.

-- Sum of a case's infectiousness between two moments, in days' shares times hours a day; onset null: not known.
CREATE OR REPLACE FUNCTION trace_infectiousness(day date, onset date, first_day integer, by_day double precision[],
                                                unknown double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN onset IS NULL THEN unknown ELSE coalesce(by_day[(day - onset) - first_day + 1], 0) END;

-- Who was together with whom. One row for everything a source (a case, or one who may be) and somebody else had together:
-- from when to when, seconds, summed hazard, and each exposure in `exposures` (JSON text: kind, place, from, until, seconds),
-- the riskiest first. `apart`: one row an exposure, with its kind and place. All times half-open; a touch of zero length is
-- none. `rule` is made by tracing.rules.exposure.for_sql. On journeys with numbered seats only who sat near counts. `known`
-- are people who are not listed again; `crowded` places where a crowd was cut at a lower degree; `most_found`: exposures
-- listed; `far`: sources are contacts, not cases, less is read.
-- A row without a person names what was cut, as a list of JSON objects: `cut` says why, `total` of how many.
--   crowd      more people met at one visit than the rule follows; the longest together are kept
--   crowded    visits to places where a crowd was cut before are not followed again; `total` visits
--   read       more visits at that place and time than are read for one visit; the latest to arrive are read
--   busy       more visits of the source than the rule follows; the latest are kept
--   too_long   the source's visit was longer than anybody stays there; its beginning is kept
--   household  more members than a household has; some are kept
--   work       more exposures than one search lists; the last `total` visits, of the last sources, are not followed
-- Others' visits that are too long count with their beginning. Runs as khien_tracer, for the functions below alone: who was
-- together does not depend on who asks, and without policies its plan is a fifth as long. Planned for each search: a plan
-- for any months would look into all of them, in no order.
DROP FUNCTION IF EXISTS trace_step(bigint[], timestamptz[], timestamptz[], date[], jsonb);  -- earlier forms
DROP FUNCTION IF EXISTS trace_step(bigint[], timestamptz[], timestamptz[], date[], jsonb, bigint[], integer, boolean);
CREATE OR REPLACE FUNCTION trace_step(
    sources bigint[], starts timestamptz[], ends timestamptz[], onsets date[], rule jsonb, known bigint[] = '{}',
    crowded bigint[] = '{}', most_found integer = NULL, far boolean = false, apart boolean = false
) RETURNS TABLE (source_id bigint, person_id bigint, kind text, place_id bigint, from_at timestamptz,
                 until_at timestamptz, seconds bigint, hazard double precision, exposures text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
    SET jit = off SET max_parallel_workers_per_gather = 0 SET work_mem = '128MB' SET timezone = 'UTC' AS $$
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
    -- Of all sources: months that cannot matter are left out once, not at every probe.
    v_max timestamptz := (SELECT max(e) FROM unnest(ends) e);
    v_early timestamptz := (SELECT min(s) FROM unnest(starts) s);
    v_long boolean := EXISTS (SELECT FROM visit v WHERE v.span = 2 AND v.came_at > v_early - interval '60 days'
                              AND v.came_at < v_max);
    v_min timestamptz := v_early - CASE WHEN v_long THEN interval '60 days' ELSE interval '48 hours' END;
    v_seats boolean := EXISTS (SELECT FROM visit v WHERE v.seat IS NOT NULL AND v.came_at > v_min AND v.came_at < v_max);
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
            p.factor, p.head
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
                    * coalesce(least(1, v_area / q.floor_area) ^ v_power, 1) AS factor,
                '{"kind": ' || to_json(q.kind) || ', "place": ' || q.place_id || ', "from": "' AS head
            FROM place q WHERE q.place_id = v.place_id
        ) p
    ), probe AS MATERIALIZED (
        SELECT o.source_id, o.kind, o.place_id, o.a, o.b, o.longest, o.min_seconds, o.head, row_number() OVER () AS n,
            o.factor * trace_infectiousness((o.a AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, o.onset, v_first, v_by_day,
                                            v_unknown) / 3600 AS a_second,
            CASE WHEN v_seats AND o.kind = 'travel' AND v_rows IS NOT NULL THEN (  -- '12A' is in row 12
                SELECT substring(t.seat FROM '^([0-9]{1,3})[A-Za-z]?$')::integer FROM visit t
                WHERE t.person_id = o.source_id AND t.came_at = o.came_at AND t.place_id = o.place_id AND t.seat IS NOT NULL
            ) END AS seat_row
        FROM own o WHERE o.a < o.b AND o.place_id NOT IN (SELECT unnest(crowded))
    ), met AS MATERIALIZED (
        SELECT o.n, o.source_id, w.person_id, o.kind, o.place_id, o.head, w.a, w.b, w.seconds,
            o.a_second * w.seconds AS hazard, w.read > v_most_read AS unread
        FROM probe o CROSS JOIN LATERAL (
            SELECT z.*, date_part('epoch', z.b - z.a)::bigint AS seconds FROM (
                SELECT v.person_id, v.read, v.came_at, greatest(v.came_at, o.a) AS a,
                    least(CASE WHEN c.span = 0 THEN v.left_at
                          ELSE least(coalesce(v.left_at, v.came_at + v_assumed), v.came_at + o.longest) END, o.b) AS b
                FROM (VALUES (0::smallint, o.a - interval '2 hours'), (1::smallint, o.a - interval '24 hours'),
                             (2::smallint, o.a - interval '60 days')) c (span, low)
                CROSS JOIN LATERAL (
                    SELECT v.person_id, v.came_at, v.left_at, row_number() OVER (ORDER BY v.came_at DESC) AS read
                    FROM visit v
                    WHERE v.place_id = o.place_id AND v.span = c.span AND v.came_at < o.b AND v.came_at > c.low
                      AND v.came_at > v_min AND v.came_at < v_max
                    ORDER BY v.came_at DESC LIMIT v_most_read + 1
                ) v
                WHERE c.span < 2 OR v_long
                OFFSET 0  -- so that the end is worked out once
            ) z
            WHERE z.b > z.a AND z.person_id <> o.source_id OR z.read > v_most_read
        ) w
        WHERE ((w.seconds > 0 AND w.seconds >= o.min_seconds) OR w.read > v_most_read)
          AND (o.seat_row IS NULL OR w.read > v_most_read OR coalesce(abs(o.seat_row - (
              SELECT substring(t.seat FROM '^([0-9]{1,3})[A-Za-z]?$')::integer FROM visit t
              WHERE t.person_id = w.person_id AND t.came_at = w.came_at AND t.place_id = o.place_id
                AND t.seat IS NOT NULL)) <= v_rows, true))
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
    ), exposure AS (
        SELECT m.source_id, m.person_id, m.kind, m.place_id, m.head, m.a, m.b, m.seconds, m.hazard
        FROM met m
        WHERE NOT m.unread AND m.n NOT IN (SELECT c.n FROM crowd c) AND m.person_id NOT IN (SELECT unnest(known))
        UNION ALL
        SELECT m.source_id, m.person_id, m.kind, m.place_id, m.head, m.a, m.b, m.seconds, m.hazard
        FROM (SELECT m.*, row_number() OVER (PARTITION BY m.n ORDER BY m.seconds DESC, m.person_id) AS place
              FROM met m WHERE NOT m.unread AND m.n = ANY (ARRAY(SELECT c.n FROM crowd c))) m
        WHERE m.place <= v_most_met AND m.person_id NOT IN (SELECT unnest(known))
        UNION ALL
        SELECT h.source_id, h.person_id, h.kind, NULL, '{"kind": "' || h.kind || '", "place": null, "from": "', h.a, h.b,
            (extract(epoch FROM h.b - h.a) * v_home_hours / 24)::bigint,
            coalesce(v_rate ->> h.kind, v_rate ->> 'any')::float8 * v_home_hours / 24 * (
                SELECT sum(trace_infectiousness((day AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, h.onset, v_first, v_by_day,
                                                v_unknown)
                           * extract(epoch FROM least(h.b, day + interval '1 day') - greatest(h.a, day))::float8 / 3600)
                FROM generate_series(date_trunc('day', h.a, 'Asia/Ho_Chi_Minh'), h.b - interval '1 microsecond',
                                     interval '1 day') AS day)
        FROM home h WHERE h.a < h.b AND h.person_id NOT IN (SELECT unnest(known))
    ), cut (source_id, kind, place_id, a, b, cut, total) AS (
        SELECT c.source_id, c.kind, c.place_id, NULL::timestamptz, NULL::timestamptz, 'crowd', max(c.met)
        FROM crowd c GROUP BY 1, 2, 3
        UNION ALL
        SELECT min(o.source_id), o.kind, o.place_id, min(o.a), max(o.b), 'crowded', count(*)
        FROM own o WHERE o.place_id IN (SELECT unnest(crowded)) GROUP BY 2, 3
        UNION ALL
        SELECT DISTINCT m.source_id, m.kind, m.place_id, NULL::timestamptz, NULL::timestamptz, 'read', v_most_read::bigint
        FROM met m WHERE m.unread
        UNION ALL
        SELECT DISTINCT o.source_id, NULL, NULL::bigint, NULL::timestamptz, NULL::timestamptz, 'busy', o.visits
        FROM own o WHERE o.visits > v_most_visits
        UNION ALL
        SELECT o.source_id, o.kind, o.place_id, o.came_at, o.left_at, 'too_long', NULL FROM own o WHERE o.too_long
        UNION ALL
        SELECT s.source_id, 'household', NULL, NULL, NULL, 'household', v_most_home FROM src s WHERE EXISTS (
            SELECT FROM household_member mine CROSS JOIN LATERAL (
                SELECT FROM household_member m WHERE m.household_id = mine.household_id OFFSET v_most_home LIMIT 1) further
            WHERE mine.person_id = s.source_id)
        UNION ALL
        SELECT sources[1], NULL, NULL, NULL, NULL, 'work', (SELECT max(p.n) FROM probe p) - max(m.n) + 1
        FROM met m HAVING count(*) > v_most_found
    )
    -- The JSON is put together by hand: a third of the time of json_build_object.
    SELECT e.source_id, e.person_id, CASE WHEN apart THEN min(e.kind) END, CASE WHEN apart THEN min(e.place_id) END,
        min(e.a), max(e.b), sum(e.seconds)::bigint, sum(e.hazard),
        '[' || string_agg(e.head || replace(e.a::text, ' ', 'T') || ':00", "until": "' || replace(e.b::text, ' ', 'T')
                          || ':00", "seconds": ' || e.seconds || '}', ', ' ORDER BY e.hazard DESC, e.a) || ']'
    FROM exposure e
    GROUP BY e.source_id, e.person_id, CASE WHEN apart THEN e.kind END, CASE WHEN apart THEN e.place_id END,
        CASE WHEN apart THEN e.a END
    UNION ALL
    SELECT c.source_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        json_agg(json_build_object('cut', c.cut, 'total', c.total, 'kind', c.kind, 'place', c.place_id, 'from', c.a,
                                   'until', c.b) ORDER BY c.a)::text
    FROM cut c GROUP BY c.source_id;
END $$;

GRANT CREATE ON SCHEMA public TO khien_tracer;  -- to receive a function; taken back below
ALTER FUNCTION trace_step(bigint[], timestamptz[], timestamptz[], date[], jsonb, bigint[], bigint[], integer, boolean, boolean)
    OWNER TO khien_tracer;
REVOKE CREATE ON SCHEMA public FROM khien_tracer;
REVOKE ALL ON FUNCTION
    trace_step(bigint[], timestamptz[], timestamptz[], date[], jsonb, bigint[], bigint[], integer, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    trace_step(bigint[], timestamptz[], timestamptz[], date[], jsonb, bigint[], bigint[], integer, boolean, boolean)
    TO khien_owner;
GRANT USAGE ON SCHEMA public TO khien_tracer;
GRANT SELECT ON visit, place, household_member, household, residence TO khien_tracer;
GRANT EXECUTE ON FUNCTION trace_infectiousness(date, date, integer, double precision[], double precision) TO khien_tracer;

-- One degree: what each source had with others, with the case the source belongs to.
CREATE OR REPLACE FUNCTION trace_level(
    level integer, sources bigint[], cases_persons bigint[], cases bigint[], starts timestamptz[], ends timestamptz[],
    onsets date[], rule jsonb, known bigint[], crowded bigint[], most_found integer
) RETURNS TABLE (degree integer, case_person_id bigint, case_id bigint, source_id bigint, person_id bigint,
                 score double precision, seconds bigint, first_at timestamptz, last_at timestamptz, exposures text)
    LANGUAGE sql STABLE AS $$
    SELECT level, o.case_person_id, o.case_id, s.source_id, s.person_id, 1 - exp(-s.hazard), s.seconds, s.from_at, s.until_at,
        s.exposures
    FROM trace_step(sources, starts, ends, onsets, rule, known, crowded, most_found, level > 1) s
    JOIN unnest(sources, cases_persons, cases) AS o (source_id, case_person_id, case_id) USING (source_id)
$$;

-- From cases to their contacts of degree 1 to `depth`, all at once. Every case must be open and visible to whoever asks:
-- the check runs with the asker's area, the search with the nation's. `keep`, the id of the contact rule, writes the
-- contacts down, wherever they live: their communes' work lists show them. Cuts come as rows without a person, `exposures`
-- saying what was cut. Degree 2 and more are sought once for all cases: through the contact of the highest score.
-- `exposures` is JSON text: it is passed on, seldom looked into.
DROP FUNCTION IF EXISTS
    trace_search(bigint[], bigint[], timestamptz[], timestamptz[], date[], timestamptz, integer, jsonb, text),
    trace_contacts(bigint[], bigint[], timestamptz[], timestamptz[], date[], timestamptz, integer, jsonb, text);
CREATE FUNCTION trace_search(
    persons bigint[], cases bigint[], starts timestamptz[], ends timestamptz[], onsets date[], moment timestamptz,
    depth integer, rule jsonb, keep text
) RETURNS TABLE (degree integer, case_person_id bigint, case_id bigint, via_person_id bigint, person_id bigint,
                 score double precision, seconds bigint, first_at timestamptz, last_at timestamptz, exposures text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET khien.area = '{(,)}'
    SET work_mem = '128MB' SET jit = off SET client_min_messages = warning AS $$
#variable_conflict use_column
DECLARE
    v_level integer;
    v_latent interval := make_interval(hours => (rule ->> 'latent_hours')::integer);
    v_most integer := (rule ->> 'most_sources')::integer;
    v_sources bigint[] := persons;
    v_case_persons bigint[] := persons;
    v_cases bigint[] := cases;
    v_starts timestamptz[] := starts;
    v_ends timestamptz[] := ends;
    v_onsets date[] := onsets;
    v_known bigint[] := '{}';
    v_crowded bigint[] := '{}';
    v_budget integer := (rule ->> 'most_exposures')::integer
        + (rule ->> 'exposures_a_case')::integer * cardinality(persons);
    v_found bigint;
BEGIN
    IF depth > 1 OR keep IS NOT NULL THEN
        CREATE TEMP TABLE trace_found (degree integer, case_person_id bigint, case_id bigint, source_id bigint,
            person_id bigint, score float8, seconds bigint, first_at timestamptz, last_at timestamptz, exposures text)
            ON COMMIT DROP;
    END IF;
    FOR v_level IN 1..depth LOOP
        IF v_level = depth AND keep IS NULL THEN  -- straight to the asker
            RETURN QUERY SELECT DISTINCT ON (f.case_person_id, f.person_id, CASE WHEN f.person_id IS NULL THEN f.source_id END)
                f.degree, f.case_person_id, f.case_id, CASE WHEN f.degree > 1 THEN f.source_id END, f.person_id, f.score,
                f.seconds, f.first_at, f.last_at, f.exposures
            FROM trace_level(v_level, v_sources, v_case_persons, v_cases, v_starts, v_ends, v_onsets, rule, v_known,
                             v_crowded, v_budget) f
            ORDER BY f.case_person_id, f.person_id, CASE WHEN f.person_id IS NULL THEN f.source_id END, f.score DESC,
                f.source_id;
            EXIT;
        END IF;
        INSERT INTO trace_found
        SELECT * FROM trace_level(v_level, v_sources, v_case_persons, v_cases, v_starts, v_ends, v_onsets, rule, v_known,
                                  v_crowded, v_budget);
        EXIT WHEN v_level = depth;
        v_crowded := v_crowded || ARRAY(
            SELECT DISTINCT (e ->> 'place')::bigint FROM trace_found f CROSS JOIN json_array_elements(f.exposures::json) e
            WHERE f.degree = v_level AND f.person_id IS NULL AND e ->> 'cut' IN ('crowd', 'read'));
        IF v_level = 1 THEN  -- cases are nobody's contacts of a further degree
            v_known := persons;
        END IF;
        SELECT array_agg(n.person_id), array_agg(n.case_person_id), array_agg(n.case_id), array_agg(n.start),
            array_agg(moment), array_agg(NULL::date), max(n.many)
        INTO v_sources, v_case_persons, v_cases, v_starts, v_ends, v_onsets, v_found
        FROM (
            SELECT b.*, count(*) OVER () AS many FROM (
                SELECT DISTINCT ON (f.person_id) f.person_id, f.case_person_id, f.case_id, f.score,
                    min(f.first_at) OVER (PARTITION BY f.person_id) + v_latent AS start
                FROM trace_found f
                WHERE f.degree = v_level AND f.person_id IS NOT NULL
                  AND f.person_id NOT IN (SELECT unnest(v_known))
                ORDER BY f.person_id, f.score DESC, f.case_person_id
            ) b ORDER BY b.score DESC, b.person_id
        ) n;
        EXIT WHEN v_sources IS NULL;
        v_known := v_known || v_sources;
        IF v_found > v_most THEN
            INSERT INTO trace_found SELECT v_level, persons[1], cases[1], persons[1], NULL, NULL, NULL, NULL, NULL,
                json_build_array(json_build_object('cut', 'sources', 'total', v_found))::text;
            v_sources := v_sources[:v_most];
            v_case_persons := v_case_persons[:v_most];
            v_cases := v_cases[:v_most];
            v_starts := v_starts[:v_most];
            v_ends := v_ends[:v_most];
            v_onsets := v_onsets[:v_most];
        END IF;
    END LOOP;
    IF depth = 1 AND keep IS NULL THEN
        RETURN;
    END IF;
    -- Somebody met through several people is one contact: through whom the score is highest.
    RETURN QUERY SELECT DISTINCT ON (f.degree, f.case_person_id, f.person_id,
                                     CASE WHEN f.person_id IS NULL THEN f.source_id END)
        f.degree, f.case_person_id, f.case_id, CASE WHEN f.degree > 1 THEN f.source_id END, f.person_id, f.score,
        f.seconds, f.first_at, f.last_at, f.exposures
    FROM trace_found f
    ORDER BY f.degree, f.case_person_id, f.person_id, CASE WHEN f.person_id IS NULL THEN f.source_id END, f.score DESC,
        f.source_id;
    IF keep IS NOT NULL THEN
        INSERT INTO contact AS c (person_id, case_person_id, case_id, degree, via_person_id, score, seconds, first_at,
            last_at, exposures, rule, state, traced_at)
        SELECT DISTINCT ON (f.case_person_id, f.person_id) f.person_id, f.case_person_id, f.case_id, f.degree,
            CASE WHEN f.degree > 1 THEN f.source_id END, f.score, f.seconds, f.first_at, f.last_at, f.exposures::jsonb, keep,
            CASE WHEN EXISTS (SELECT FROM case_report o WHERE o.person_id = f.person_id
                              AND o.state IN ('suspected', 'probable', 'confirmed')) THEN 'case' ELSE 'listed' END, moment
        FROM trace_found f WHERE f.person_id IS NOT NULL
        ORDER BY f.case_person_id, f.person_id, f.degree, f.score DESC, f.source_id
        ON CONFLICT (person_id, case_person_id, case_id) DO UPDATE SET degree = excluded.degree,
            via_person_id = excluded.via_person_id, score = excluded.score, seconds = excluded.seconds,
            first_at = excluded.first_at, last_at = excluded.last_at, exposures = excluded.exposures,
            rule = excluded.rule, traced_at = excluded.traced_at,
            state = CASE WHEN c.state = 'withdrawn' THEN 'listed' ELSE c.state END;
    END IF;
    DROP TABLE trace_found;
END $$;

-- The door to the search: asks whether every case is open and visible to the asker, then searches the nation.
CREATE FUNCTION trace_contacts(
    persons bigint[], cases bigint[], starts timestamptz[], ends timestamptz[], onsets date[], moment timestamptz,
    depth integer, rule jsonb, keep text
) RETURNS TABLE (degree integer, case_person_id bigint, case_id bigint, via_person_id bigint, person_id bigint,
                 score double precision, seconds bigint, first_at timestamptz, last_at timestamptz, exposures text)
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
