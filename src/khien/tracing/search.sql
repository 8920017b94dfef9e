-- The search for people who were together. Run after every migration.

-- Sum of a case's infectiousness between two moments, in days' shares times hours a day; onset null: not known.
CREATE OR REPLACE FUNCTION trace_infectiousness(day date, onset date, first_day integer, by_day double precision[],
                                                unknown double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN onset IS NULL THEN unknown ELSE coalesce(by_day[(day - onset) - first_day + 1], 0) END;

-- The row of a numbered seat ('12A' is in row 12); null: not known. Not inlined, so that it is planned where there are seats.
CREATE OR REPLACE FUNCTION visit_seat_row(person bigint, moment timestamptz, place bigint) RETURNS integer
    LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT substring(v.seat FROM '^([0-9]{1,3})[A-Za-z]?$')::integer FROM visit v
            WHERE v.person_id = person AND v.came_at = moment AND v.place_id = place AND v.seat IS NOT NULL);
END $$;

-- Who shared a household or an address with a source: from when to when, by day. `read`: more than `most` says that there were
-- more than are read. A function of its own, planned once: it has no months.
CREATE OR REPLACE FUNCTION trace_home(sources bigint[], starts timestamptz[], ends timestamptz[], onsets date[], most integer)
    RETURNS TABLE (source_id bigint, person_id bigint, onset date, kind text, read bigint, a timestamptz, b timestamptz)
    LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_hashjoin = off SET enable_mergejoin = off
    SET enable_seqscan = off SET jit = off SET timezone = 'UTC' AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT s.source_id, m.person_id, s.onset, m.kind, m.read,
        greatest(s.start, m.first::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh'),
        least(s.finish, m.last::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh')
    FROM unnest(sources, starts, ends, onsets) AS s (source_id, start, finish, onset)
    CROSS JOIN LATERAL (
        SELECT other.person_id, 'household' AS kind, other.read,
            greatest(lower(mine.valid), lower(other.valid)) AS first, least(upper(mine.valid), upper(other.valid)) AS last
        FROM household_member mine
        CROSS JOIN LATERAL (SELECT m.person_id, m.valid, row_number() OVER () AS read FROM household_member m
                            WHERE m.household_id = mine.household_id LIMIT most + 1) other
        WHERE mine.person_id = s.source_id
          AND (other.person_id <> s.source_id AND mine.valid && other.valid OR other.read > most)
        UNION ALL
        SELECT other.person_id, 'stay', 1, greatest(lower(mine.valid), lower(other.valid)),
            least(upper(mine.valid), upper(other.valid))
        FROM residence mine
        CROSS JOIN LATERAL (SELECT r.person_id, r.valid FROM residence r
                            WHERE r.unit_id = mine.unit_id AND r.address = mine.address AND r.kind = 'stay'
                            LIMIT most) other
        WHERE mine.person_id = s.source_id AND mine.kind = 'stay' AND mine.address <> ''
          AND other.person_id <> s.source_id AND mine.valid && other.valid
        UNION ALL  -- a guest and the household at that address, both ways
        SELECT host.person_id, 'stay', 1, greatest(lower(mine.valid), lower(host.valid)),
            least(upper(mine.valid), upper(host.valid))
        FROM residence mine JOIN household h ON h.unit_id = mine.unit_id AND h.address = mine.address
        CROSS JOIN LATERAL (SELECT m.person_id, m.valid FROM household_member m
                            WHERE m.household_id = h.household_id LIMIT most) host
        WHERE mine.person_id = s.source_id AND mine.kind = 'stay' AND mine.address <> ''
          AND host.person_id <> s.source_id AND mine.valid && host.valid
        UNION ALL
        SELECT guest.person_id, 'stay', 1, greatest(lower(mine.valid), lower(guest.valid)),
            least(upper(mine.valid), upper(guest.valid))
        FROM household_member mine JOIN household h USING (household_id)
        CROSS JOIN LATERAL (SELECT r.person_id, r.valid FROM residence r
                            WHERE r.unit_id = h.unit_id AND r.address = h.address AND r.kind = 'stay' AND h.address <> ''
                            LIMIT most) guest
        WHERE mine.person_id = s.source_id AND guest.person_id <> s.source_id AND mine.valid && guest.valid
    ) m
    WHERE s.start < s.finish;
END $$;

-- Who was together with whom. One row for everything a source (a case, or one who may be) and somebody else had together:
-- from when to when, seconds, summed hazard, and the exposures, the riskiest first, as JSON text: lists of kind, place
-- (null: at home), beginning and end in microseconds since 1970, seconds. `earliest`: when anybody of the sources first met
-- that person, if `deeper`. All times half-open; a touch of zero length is none. `rule` is made by
-- tracing.rules.exposure.for_sql. On journeys with numbered seats only who sat near counts. `apart`: one row an exposure.
-- `known` are people who are not listed again; `crowded` places where a crowd was cut at a lower degree; `most_found`:
-- exposures listed; `far`: sources are contacts, not cases, less is read.
-- A row without a person names what was cut, as a list of JSON objects: `cut` says why, `total` of how many.
--   crowd      more people met at one visit than the rule follows; the longest together are kept
--   crowded    visits to places where a crowd was cut before are not followed again; `total` visits
--   read       more visits at that place and time than are read for one visit; the latest to arrive are read
--   busy       more visits of the source than the rule follows; the latest are kept
--   too_long   the source's visit was longer than anybody stays there; its beginning is kept
--   household  more members than a household has; some are kept
--   work       more exposures than one search lists; the last `total` visits, of the last sources, each one's earliest, are
--              not followed to their end
-- Others' visits that are too long count with their beginning. Runs as khien_tracer, for the functions below alone: who was
-- together does not depend on who asks, and without policies its plan is a fifth as long. Planned for each search: a plan
-- for any months would look into all of them, in no order.
DROP FUNCTION IF EXISTS trace_step(bigint[], timestamptz[], timestamptz[], date[], jsonb);  -- earlier forms
DROP FUNCTION IF EXISTS trace_step(bigint[], timestamptz[], timestamptz[], date[], jsonb, bigint[], integer, boolean);
DROP FUNCTION IF EXISTS
    trace_step(bigint[], timestamptz[], timestamptz[], date[], jsonb, bigint[], bigint[], integer, boolean, boolean) CASCADE;
CREATE OR REPLACE FUNCTION trace_step(
    sources bigint[], starts timestamptz[], ends timestamptz[], onsets date[], rule jsonb, known bigint[] = '{}',
    crowded bigint[] = '{}', most_found integer = NULL, far boolean = false, deeper boolean = false, apart boolean = false
) RETURNS TABLE (source_id bigint, person_id bigint, from_at timestamptz, until_at timestamptz, seconds bigint,
                 hazard double precision, earliest timestamptz, exposures text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
    SET jit = off SET max_parallel_workers_per_gather = 0 SET work_mem = '128MB' SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
    v_assumed interval := make_interval(mins => (rule ->> 'assumed_minutes')::integer);
    -- By kind of place, in one order; the last is for any other.
    v_kinds text[];
    v_longest interval[];
    v_least interval[];     -- together at least so long, half a second less: lengths are rounded to seconds
    v_rates double precision[];
    v_any integer;
    v_home_hours double precision := (rule ->> 'household_hours')::float8;
    v_rows integer := (rule ->> 'seat_rows')::integer;
    v_most_visits integer := (rule ->> 'most_visits')::integer;
    v_most_met integer := (rule ->> 'most_met')::integer;
    v_most_read integer := (rule ->> CASE WHEN far THEN 'most_read_far' ELSE 'most_read' END)::integer;
    v_most_home integer := (rule ->> 'most_household')::integer;
    v_most_found integer := coalesce(most_found, (rule ->> 'most_exposures')::integer
                                                 + (rule ->> 'exposures_a_case')::integer * cardinality(sources));
    v_air jsonb := rule -> 'ventilation';
    v_area double precision := (rule ->> 'area_reference')::float8;
    v_power double precision := (rule ->> 'area_power')::float8;
    v_first integer := (rule ->> 'first_day')::integer;
    v_by_day double precision[] := translate(rule ->> 'by_day', '[]', '{}');
    v_unknown double precision := (rule ->> 'unknown')::float8;
    -- Of all sources: months that cannot matter are left out once, not at every probe.
    v_max timestamptz;
    v_min timestamptz;
    v_long boolean;
    v_seats boolean;
    -- Visits of the sources are followed so many at a time by place: what lies together in the indexes is read together. Where
    -- that would be cut it is done once more, source by source, each one's latest visits first: what is likeliest is kept.
    v_block integer;
BEGIN
    SELECT array_agg(k ->> 'kind' ORDER BY n), array_agg(make_interval(hours => (k ->> 'longest_hours')::integer) ORDER BY n),
        array_agg(make_interval(secs => greatest((k ->> 'minutes')::integer * 60, 1) - 0.5) ORDER BY n),
        array_agg((k ->> 'rate')::float8 ORDER BY n), count(*)
    INTO v_kinds, v_longest, v_least, v_rates, v_any FROM jsonb_array_elements(rule -> 'kinds') WITH ORDINALITY AS k (k, n);
    SELECT min(s), max(e) INTO v_min, v_max FROM unnest(starts, ends) AS t (s, e);
    v_long := EXISTS (SELECT FROM visit v WHERE v.span = 2 AND v.came_at > v_min - interval '60 days' AND v.came_at < v_max);
    v_min := v_min - CASE WHEN v_long THEN interval '60 days' ELSE interval '24 hours' END;
    v_seats := v_rows IS NOT NULL
        AND EXISTS (SELECT FROM visit v WHERE v.seat IS NOT NULL AND v.came_at > v_min AND v.came_at < v_max);
    FOREACH v_block IN ARRAY ARRAY[8192, 1] LOOP RETURN QUERY
    WITH src AS MATERIALIZED (
        SELECT s.source_id, s.start, s.finish, s.onset,
            s.start - CASE WHEN v_long THEN interval '60 days' ELSE interval '24 hours' END AS low
        FROM unnest(sources, starts, ends, onsets) AS s (source_id, start, finish, onset)
        WHERE s.start < s.finish
    ), class AS MATERIALIZED (
        SELECT c.span, c.longest FROM visit_span c WHERE c.span < 2 OR v_long
    ), been AS MATERIALIZED (
        SELECT s.*, v.*, (row_number() OVER () - 1) / v_block AS block
        FROM src s CROSS JOIN LATERAL (
            SELECT v.place_id, v.came_at, v.left_at, count(*) OVER () AS visits
            FROM visit v
            WHERE v.person_id = s.source_id AND v.came_at < s.finish AND v.came_at > s.low AND v.came_at > v_min
              AND v.came_at < v_max
              AND coalesce(v.left_at, v.came_at + v_assumed) > s.start
            ORDER BY v.came_at DESC LIMIT v_most_visits
        ) v
    ), own AS MATERIALIZED (  -- n: of those that are followed, in the order in which they are
        SELECT o.source_id, o.place_id, o.came_at, o.left_at, o.visits, o.a, o.b, o.longest, o.least,
            o.followed, count(*) FILTER (WHERE o.followed) OVER (ROWS UNBOUNDED PRECEDING) AS n,
            o.factor * trace_infectiousness((o.a AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, o.onset, v_first, v_by_day,
                                            v_unknown) AS a_second,
            CASE WHEN v_seats AND o.kind = 'travel' AND o.followed THEN visit_seat_row(o.source_id, o.came_at, o.place_id) END
                AS seat_row,
            o.kind, o.head
        FROM (
            SELECT t.*, t.a < t.b AND t.place_id <> ALL (crowded) AS followed FROM (
                SELECT s.*, p.*, greatest(s.came_at, s.start) AS a,
                    least(coalesce(s.left_at, s.came_at + v_assumed), s.came_at + p.longest, s.finish) AS b
                FROM (SELECT * FROM been ORDER BY block, place_id, came_at) s
                CROSS JOIN LATERAL (
                    SELECT q.kind, v_longest[k.n] AS longest, v_least[k.n] AS least,
                        v_rates[k.n] * (v_air ->> q.ventilation)::float8
                            * CASE WHEN q.floor_area > v_area THEN (v_area / q.floor_area) ^ v_power ELSE 1 END / 3600 AS factor,
                        '[' || to_json(q.kind) || ',' || q.place_id || ',' AS head
                    FROM place q CROSS JOIN LATERAL (SELECT coalesce(array_position(v_kinds, q.kind), v_any) AS n OFFSET 0) k
                    WHERE q.place_id = s.place_id
                    OFFSET 0  -- worked out once a place
                ) p
                OFFSET 0  -- as is when a visit began and ended
            ) t
        ) o
    ), met AS MATERIALIZED (
        SELECT o.n, o.source_id, z.person_id, o.head, z.a, z.b, o.a_second, date_part('epoch', z.b - z.a)::integer AS seconds,
            z.read
        FROM own o CROSS JOIN LATERAL (
            SELECT v.person_id, v.read, v.came_at, greatest(v.came_at, o.a) AS a,
                least(CASE WHEN c.span = 0 THEN v.left_at
                      ELSE least(coalesce(v.left_at, v.came_at + v_assumed), v.came_at + o.longest) END, o.b) AS b
            FROM class c CROSS JOIN LATERAL (
                SELECT v.person_id, v.came_at, v.left_at, row_number() OVER (ORDER BY v.came_at DESC) AS read
                FROM visit v
                WHERE v.place_id = o.place_id AND v.span = c.span AND v.came_at < o.b AND v.came_at > o.a - c.longest
                  AND v.came_at > v_min AND v.came_at < v_max
                ORDER BY v.came_at DESC LIMIT v_most_read + 1
            ) v
            OFFSET 0  -- so that the end is worked out once
        ) z
        WHERE o.followed AND (z.b > z.a + o.least AND z.person_id <> o.source_id
              AND (NOT v_seats OR o.seat_row IS NULL
                   OR coalesce(abs(o.seat_row - visit_seat_row(z.person_id, z.came_at, o.place_id)) <= v_rows, true))
           OR z.read > v_most_read)
        LIMIT v_most_found + 1
    ), whole AS MATERIALIZED (
        SELECT count(*) AS found, max(m.read) AS read, max(m.n) AS n, v_block > 1 AND count(*) > v_most_found AS again
        FROM met m
    ), crowd AS MATERIALIZED (  -- no visit met more than the most read in each of three classes of length
        SELECT m.n, count(*) AS met FROM met m
        WHERE 3 * (SELECT w.read FROM whole w) > v_most_met AND m.read <= v_most_read
        GROUP BY m.n HAVING count(*) > v_most_met
    ), home AS MATERIALIZED (
        SELECT * FROM trace_home(sources, starts, ends, onsets, v_most_home)
    ), exposure AS (
        SELECT m.source_id, m.person_id, m.n, m.head, m.a, m.b, m.seconds, m.a_second * m.seconds AS hazard
        FROM met m
        WHERE m.read <= v_most_read AND m.n NOT IN (SELECT c.n FROM crowd c) AND m.person_id <> ALL (known)
        UNION ALL
        SELECT m.source_id, m.person_id, m.n, m.head, m.a, m.b, m.seconds, m.a_second * m.seconds
        FROM (SELECT m.*, row_number() OVER (PARTITION BY m.n ORDER BY m.seconds DESC, m.person_id) AS place
              FROM met m
              WHERE EXISTS (SELECT FROM crowd c) AND m.read <= v_most_read AND m.n = ANY (ARRAY(SELECT c.n FROM crowd c))) m
        WHERE m.place <= v_most_met AND m.person_id <> ALL (known)
        UNION ALL
        SELECT h.source_id, h.person_id, NULL, '["' || h.kind || '",null,', h.a, h.b,
            (date_part('epoch', h.b - h.a) * v_home_hours / 24)::integer,
            v_rates[coalesce(array_position(v_kinds, h.kind), v_any)] * v_home_hours / 24 / 3600 * CASE WHEN h.onset IS NULL
                THEN v_unknown * date_part('epoch', h.b - h.a)
                ELSE (SELECT sum(trace_infectiousness((day AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, h.onset, v_first, v_by_day,
                                                      v_unknown)
                                 * date_part('epoch', least(h.b, day + interval '1 day') - greatest(h.a, day)))
                      FROM generate_series(date_trunc('day', h.a, 'Asia/Ho_Chi_Minh'), h.b - interval '1 microsecond',
                                           interval '1 day') AS day) END
        FROM home h WHERE h.a < h.b AND h.read <= v_most_home AND h.person_id <> ALL (known)
    ), cut (source_id, kind, place_id, a, b, cut, total) AS (
        SELECT o.source_id, o.kind, o.place_id, NULL::timestamptz, NULL::timestamptz, 'crowd', max(c.met)
        FROM crowd c JOIN own o USING (n) WHERE o.followed GROUP BY 1, 2, 3
        UNION ALL
        SELECT min(o.source_id), o.kind, o.place_id, min(o.a), max(o.b), 'crowded', count(*)
        FROM own o WHERE o.place_id = ANY (crowded) GROUP BY 2, 3
        UNION ALL
        SELECT DISTINCT o.source_id, o.kind, o.place_id, NULL::timestamptz, NULL::timestamptz, 'read', v_most_read::bigint
        FROM met m JOIN own o USING (n)
        WHERE (SELECT w.read FROM whole w) > v_most_read AND m.read > v_most_read AND o.followed
        UNION ALL
        SELECT DISTINCT o.source_id, NULL, NULL::bigint, NULL::timestamptz, NULL::timestamptz, 'busy', o.visits
        FROM own o WHERE o.visits > v_most_visits
        UNION ALL
        SELECT o.source_id, o.kind, o.place_id, o.came_at, o.left_at, 'too_long', NULL
        FROM own o WHERE o.left_at > o.came_at + o.longest
        UNION ALL
        SELECT DISTINCT h.source_id, 'household', NULL::bigint, NULL::timestamptz, NULL::timestamptz, 'household',
            v_most_home::bigint
        FROM home h WHERE h.read > v_most_home
        UNION ALL
        SELECT sources[1], NULL, NULL, NULL, NULL, 'work', (SELECT max(o.n) FROM own o) - w.n + 1
        FROM whole w WHERE w.found > v_most_found
    )
    -- The JSON is put together by hand: a third of the time of json_build_array.
    SELECT e.source_id, e.person_id, min(e.a), max(e.b), sum(e.seconds), sum(e.hazard),
        CASE WHEN deeper THEN min(min(e.a)) OVER (PARTITION BY e.person_id) END,
        '[' || string_agg(e.head || (date_part('epoch', e.a) * 1000000)::bigint || ','
                          || (date_part('epoch', e.b) * 1000000)::bigint || ',' || e.seconds || ']', ','
                          ORDER BY e.hazard DESC, e.a) || ']'
    FROM exposure e WHERE NOT (SELECT w.again FROM whole w)
    GROUP BY e.person_id, e.source_id, CASE WHEN apart THEN e.head END, CASE WHEN apart THEN e.n END,
        CASE WHEN apart THEN e.a END
    UNION ALL
    SELECT c.source_id, NULL, NULL, NULL, NULL, NULL, NULL,
        json_agg(json_build_object('cut', c.cut, 'total', c.total, 'kind', c.kind, 'place', c.place_id, 'from', c.a,
                                   'until', c.b) ORDER BY c.a)::text
    FROM cut c WHERE NOT (SELECT w.again FROM whole w) GROUP BY c.source_id;
    EXIT WHEN FOUND; END LOOP;
END $$;

GRANT CREATE ON SCHEMA public TO khien_tracer;  -- to receive a function; taken back below
ALTER FUNCTION
    trace_step(bigint[], timestamptz[], timestamptz[], date[], jsonb, bigint[], bigint[], integer, boolean, boolean, boolean)
    OWNER TO khien_tracer;
REVOKE CREATE ON SCHEMA public FROM khien_tracer;
REVOKE ALL ON FUNCTION
    trace_step(bigint[], timestamptz[], timestamptz[], date[], jsonb, bigint[], bigint[], integer, boolean, boolean, boolean)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    trace_step(bigint[], timestamptz[], timestamptz[], date[], jsonb, bigint[], bigint[], integer, boolean, boolean, boolean)
    TO khien_owner;
GRANT USAGE ON SCHEMA public TO khien_tracer;
GRANT SELECT ON visit, visit_span, place, household_member, household, residence TO khien_tracer;
GRANT EXECUTE ON FUNCTION trace_infectiousness(date, date, integer, double precision[], double precision),
    visit_seat_row(bigint, timestamptz, bigint), trace_home(bigint[], timestamptz[], timestamptz[], date[], integer)
    TO khien_tracer;
