-- Recording doses ----------------------------------------------------------------------------------------------------

-- Lock the people of a batch of entries and tell what the register knows about each, in the order of the entries. Those
-- about people outside the actor's scope simply have no row (absent and forbidden look the same).
-- One writer a person at a time, locked in order so that two batches cannot wait for each other in a ring; the first key
-- only keeps these locks apart from other uses of advisory locks. What is read, is read after the lock.
-- A function, and one text a batch: its plan is made once a connection (making it costs more than running it), whatever
-- the entries are. It looks everything up by a key: right for any number of them, also while the tables still grow.
CREATE OR REPLACE FUNCTION dose_facts(entries json)
RETURNS TABLE (n integer, earlier json, birth_date date, sex text, died_on date, product_known boolean, disease text,
               licensed_on date, site_id integer, lot_known boolean, arrived_on date, expires_on date, blocked_on date,
               history json, facts json)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
    PERFORM pg_advisory_xact_lock(8241, ordered.id) FROM (
        SELECT DISTINCT hashint8(e.person_id) AS id FROM json_to_recordset(entries) AS e (person_id bigint) ORDER BY 1) ordered;
    RETURN QUERY
    SELECT e.n, b.earlier, p.birth_date, p.sex, p.died_on, v.product IS NOT NULL, v.disease, v.licensed_on, s.site_id,
           l.product IS NOT NULL, l.arrived_on, l.expires_on, l.blocked_on, o.history, f.facts
    FROM json_to_recordset(entries)
         AS e (n int, person_id bigint, client_id uuid, product text, lot_number text, site text, area text)
    JOIN person p ON p.person_id = e.person_id AND p.merged_into IS NULL
        -- Among entries of several senders each reaches only people of its sender's own area.
        AND (e.area IS NULL OR p.home_unit <@ e.area::int4multirange OR p.present_unit <@ e.area::int4multirange)
    LEFT JOIN vaccine_product v ON v.product = e.product
    LEFT JOIN lot l ON l.product = e.product AND l.lot_number = e.lot_number
    LEFT JOIN site s ON s.code = e.site
    LEFT JOIN LATERAL (  -- what an earlier copy of the same message made
        SELECT json_build_object('dose_id', d.dose_id, 'product', d.product, 'lot_number', d.lot_number,
                                 'given_on', d.given_on, 'supersedes', d.supersedes) AS earlier
        FROM dose d WHERE d.person_id = e.person_id AND d.client_id = e.client_id) b ON true
    CROSS JOIN LATERAL (  -- the person's doses that stand, those recorded of a double too
        SELECT json_agg(json_build_array(d.person_id, d.dose_id, d.given_on, d.product, w.disease, d.substandard,
                                         d.evidence = 'declared', d.flags)) AS history
        FROM dose d JOIN vaccine_product w USING (product)
        WHERE d.person_id = ANY (ARRAY(SELECT m.person_id FROM person m WHERE m.merged_into = e.person_id) || e.person_id)
          AND d.status = 'completed' AND d.superseded_by IS NULL) o
    CROSS JOIN LATERAL (  -- what is known of the person's health, and from when until when
        SELECT json_agg(json_build_array(h.code, lower(h.valid), upper(h.valid))) AS facts
        FROM health_fact h
        WHERE h.person_id = ANY (ARRAY(SELECT m.person_id FROM person m WHERE m.merged_into = e.person_id) || e.person_id)
          AND NOT isempty(h.valid)) f;
END $$;

-- Figures of vaccination that count people without naming them: run with the nation's scope, because people from elsewhere
-- come to a session too, and a balance that leaves them out is wrong. They give out no identity.

CREATE OR REPLACE FUNCTION vaccination_session_doses(of_session bigint)
RETURNS TABLE (product text, lot_number text, doses bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET khien.area = '{(,)}' SET khien.purpose = 'vaccination' AS $$
    SELECT d.product, d.lot_number, count(*) FROM desk_visit v
    JOIN dose d ON d.person_id = v.person_id AND d.dose_id = v.dose_id
    WHERE v.session_id = of_session AND d.status = 'completed' AND d.superseded_by IS NULL
    GROUP BY 1, 2;
$$;

CREATE OR REPLACE FUNCTION vaccination_session_figures(of_sessions bigint[])
RETURNS TABLE (session_id bigint, called bigint, walk_in bigint, refused bigint, unreachable bigint, screened bigint,
               postponed bigint, given bigint, observed bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET khien.area = '{(,)}' SET khien.purpose = 'vaccination' AS $$
    SELECT s.session_id, coalesce(k.called, 0), coalesce(k.walk_in, 0), coalesce(k.refused, 0), coalesce(k.unreachable, 0),
           coalesce(v.screened, 0), coalesce(v.postponed, 0), coalesce(v.given, 0), coalesce(v.observed, 0)
    FROM unnest(of_sessions) AS s (session_id)
    LEFT JOIN (SELECT c.session_id, count(*) FILTER (WHERE NOT c.walk_in) AS called, count(*) FILTER (WHERE c.walk_in) AS walk_in,
                      count(*) FILTER (WHERE c.state = 'refused') AS refused,
                      count(*) FILTER (WHERE c.state = 'unreachable') AS unreachable
               FROM session_call c WHERE c.session_id = ANY (of_sessions) GROUP BY 1) k USING (session_id)
    LEFT JOIN (SELECT d.session_id, count(*) AS screened,
                      count(*) FILTER (WHERE d.outcome IN ('postpone', 'contraindicated')) AS postponed,
                      count(d.dose_id) AS given,
                      count(*) FILTER (WHERE d.dose_id IS NOT NULL AND d.left_at IS NULL) AS observed
               FROM desk_visit d WHERE d.session_id = ANY (of_sessions) GROUP BY 1) v USING (session_id);
$$;
GRANT EXECUTE ON FUNCTION vaccination_session_doses(bigint), vaccination_session_figures(bigint[]) TO khien_app, khien_loader;

CREATE OR REPLACE FUNCTION vaccination_lot_events(of_product text DEFAULT NULL)
RETURNS TABLE (product text, lot_number text, doses bigint, events bigint, serious bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET khien.area = '{(,)}' SET khien.purpose = 'vaccination' AS $$
    WITH given AS (
        SELECT d.product, d.lot_number, count(*) AS doses FROM dose d
        WHERE d.lot_number IS NOT NULL AND d.status = 'completed' AND d.superseded_by IS NULL AND d.evidence = 'site'
          AND (of_product IS NULL OR d.product = of_product) GROUP BY 1, 2
    ), followed AS (
        SELECT d.product, d.lot_number, count(*) AS events, count(*) FILTER (WHERE e.seriousness <> '{}') AS serious
        FROM adverse_event e JOIN dose d ON d.person_id = e.person_id AND d.dose_id = e.dose_id
        WHERE d.lot_number IS NOT NULL AND d.evidence = 'site' AND d.status = 'completed' AND d.superseded_by IS NULL
        GROUP BY 1, 2
    )
    SELECT g.product, g.lot_number, g.doses, coalesce(f.events, 0), coalesce(f.serious, 0)
    FROM given g LEFT JOIN followed f USING (product, lot_number);
$$;
GRANT EXECUTE ON FUNCTION vaccination_lot_events(text) TO khien_app, khien_loader;

-- Who is due ---------------------------------------------------------------------------------------------------------
-- All with the nation's scope: a past is the same whoever asks, and policies asked a million times are slow. They give
-- numbers of persons, nothing that names one; the caller passes an area within the actor's own.

-- The condition that `p` is present in an area, as the planner can estimate it and use an index for it.
CREATE OR REPLACE FUNCTION due_present(area int4multirange) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(string_agg(format('p.present_unit BETWEEN %s AND %s', coalesce(lower(a), 0), coalesce(upper(a) - 1, 2147483647)),
                               ' OR '), 'false') FROM unnest(area) a;
$$;

-- After a large batch: let the planner know of doses that came since it last looked, each time they have doubled, rather
-- than when autovacuum comes round. A first import would go through the plans of an empty table all along.
CREATE OR REPLACE FUNCTION dose_statistics() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- At least 40 rows a page.
    IF (SELECT pg_relation_size(oid) / 8192 * 40 > 2 * greatest(reltuples, 0) FROM pg_class WHERE oid = 'dose'::regclass) THEN
        ANALYZE dose;
    END IF;
END $$;
REVOKE ALL ON FUNCTION dose_statistics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dose_statistics() TO khien_app, khien_loader;

-- Only these functions, which run with the nation's scope, reach what is kept of people's past. One condition, asked once
-- a statement: it does not decide their plans.
ALTER TABLE due.history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS khien_scope ON due.history;
CREATE POLICY khien_scope ON due.history USING ((SELECT khien_nation()));

-- Bring up to date what is kept of people's past: of those whose doses changed since a moment, or (null) of those of an
-- area of whom nothing that still holds is kept, at most so many. Whoever has a dose on one of the `missing` days waits:
-- their limits have to be put into due_day first.
-- past: for each dose its place in the order, what it was, between which days that rules name it lies (`marks`), and how
-- the birth and each earlier dose lie to it, seen from its day; all of it in one number.
CREATE OR REPLACE FUNCTION due_build(
    of_programme integer, of_revision integer, of_area int4multirange, since timestamptz, most integer,
    products text[], places integer[], marks date[])
RETURNS TABLE (found bigint, missing date[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET khien.area = '{(,)}' SET khien.purpose = 'vaccination' SET work_mem = '64MB' SET enable_nestloop = on AS $$
DECLARE
    looked_at bigint;
    lacking date[];
    build text;
    replacing text := 'ON CONFLICT (programme_id, person_id) DO UPDATE SET revision = excluded.revision,'
        ' birth_date = excluded.birth_date, doubles = excluded.doubles, past = excluded.past, days = excluded.days'
        ' WHERE (h.revision, h.birth_date, h.doubles, h.past, h.days) IS DISTINCT FROM'
        ' (excluded.revision, excluded.birth_date, excluded.doubles, excluded.past, excluded.days)';
BEGIN
    PERFORM pg_advisory_xact_lock(8242, of_programme);  -- one builder at a time; the next finds nothing left to do
    IF since IS NULL THEN
        ANALYZE due_day;  -- taken for empty, it would be walked for every dose
        -- The policies make a scan of all doses look dear, which it is not: they are asked once a statement. For many people
        -- it is several times as fast as looking each one up.
        PERFORM set_config('enable_nestloop', CASE WHEN most > 100000 THEN 'off' ELSE 'on' END, true);
    END IF;
    build := format($sql$
    WITH doubled AS MATERIALIZED (
        SELECT m.person_id, m.merged_into FROM person m WHERE m.merged_into IS NOT NULL
    ), doubles AS (
        SELECT m.merged_into AS person_id, bit_xor(m.person_id) AS doubles FROM doubled m GROUP BY 1
    ), here AS MATERIALIZED (
        SELECT p.person_id, p.birth_date, coalesce(b.doubles, 0) AS doubles FROM person p LEFT JOIN doubles b USING (person_id)
        WHERE %1$s
        LIMIT $8
    ), standing AS (
        SELECT h.person_id, h.birth_date, d.dose_id, d.product, d.given_on, d.substandard FROM here h JOIN dose d USING (person_id)
        WHERE d.status = 'completed' AND d.superseded_by IS NULL AND d.evidence <> 'declared'
        UNION ALL
        SELECT h.person_id, h.birth_date, d.dose_id, d.product, d.given_on, d.substandard FROM here h
        JOIN doubled m ON m.merged_into = h.person_id JOIN dose d ON d.person_id = m.person_id
        WHERE d.status = 'completed' AND d.superseded_by IS NULL AND d.evidence <> 'declared'
    ), given AS (
        SELECT d.person_id, d.birth_date, d.given_on, v.place * 2 + d.substandard::int AS what,
               row_number() OVER course AS nth, array_agg(d.given_on) OVER course AS course
        FROM standing d JOIN unnest($4, $5) AS v (product, place) USING (product)
        WINDOW course AS (PARTITION BY d.person_id ORDER BY d.given_on, d.dose_id ROWS UNBOUNDED PRECEDING)
    ), seen AS MATERIALIZED (
        SELECT g.person_id, array_agg(g.given_on ORDER BY g.nth) AS days,
               array_agg(g.given_on) FILTER (WHERE y.day IS NULL) AS missing,
               bit_xor(hash_array_extended(
                   ARRAY[g.nth, g.what, width_bucket(g.given_on, $6), width_bucket(g.birth_date, y.births)]
                   || CASE WHEN g.nth > 1 THEN
                          ARRAY(SELECT width_bucket(earlier, y.starts)::bigint FROM unnest(g.course) earlier) END, 1)) AS past
        FROM given g LEFT JOIN due_day y ON y.programme_id = $1 AND y.revision = $2 AND y.day = g.given_on
        GROUP BY g.person_id
    ), put AS (
        INSERT INTO due.history AS h (person_id, programme_id, revision, birth_date, doubles, past, days)
        SELECT p.person_id, $1, $2, p.birth_date, p.doubles, coalesce(s.past, 0), coalesce(s.days, '{}')
        FROM here p LEFT JOIN seen s USING (person_id) WHERE s.missing IS NULL %%s
    )
    SELECT (SELECT count(*) FROM here), ARRAY(SELECT DISTINCT unnest(s.missing) FROM seen s WHERE s.missing IS NOT NULL)
    $sql$,
    CASE WHEN since IS NULL THEN format(
        '(%s) AND p.merged_into IS NULL AND NOT EXISTS ('
        ' SELECT FROM due.history h WHERE h.programme_id = $1 AND h.person_id = p.person_id AND h.revision = $2'
        ' AND h.birth_date = p.birth_date AND h.doubles = coalesce(b.doubles, 0))', due_present(of_area))
    ELSE
        'p.person_id IN (SELECT coalesce(m.merged_into, d.person_id) FROM dose d LEFT JOIN doubled m USING (person_id)'
        ' WHERE d.changed_at >= $7 AND d.product = ANY ($4)) AND p.merged_into IS NULL AND EXISTS ('
        ' SELECT FROM due.history h WHERE h.programme_id = $1 AND h.person_id = p.person_id)'
    END);
    IF since IS NULL AND NOT EXISTS (
        SELECT FROM due.history h WHERE h.programme_id = of_programme AND h.revision <> of_revision)
    THEN
        BEGIN  -- where nothing is replaced, writing costs a third less
            EXECUTE format(build, '') INTO looked_at, lacking
                USING of_programme, of_revision, of_area, products, places, marks, since, most;
        EXCEPTION WHEN unique_violation THEN  -- somebody's birth date was corrected, or a double found
            EXECUTE format(build, replacing) INTO looked_at, lacking
                USING of_programme, of_revision, of_area, products, places, marks, since, most;
        END;
    ELSE
        EXECUTE format(build, replacing) INTO looked_at, lacking
            USING of_programme, of_revision, of_area, products, places, marks, since, most;
    END IF;
    RETURN QUERY SELECT looked_at, lacking;
    IF since IS NULL THEN
        ANALYZE due.history;  -- the next question's plan hangs on it
    END IF;
END $$;

-- The doses of some people that stand, those recorded of their doubles too. Declared ones do not count until verified.
CREATE OR REPLACE FUNCTION due_doses(people bigint[])
RETURNS TABLE (person_id bigint, dose_id bigint, product text, given_on date, substandard boolean)
LANGUAGE sql STABLE AS $$
    SELECT d.person_id, d.dose_id, d.product, d.given_on, d.substandard FROM dose d
    WHERE d.person_id = ANY (people) AND d.status = 'completed' AND d.superseded_by IS NULL AND d.evidence <> 'declared'
    UNION ALL
    SELECT m.merged_into, d.dose_id, d.product, d.given_on, d.substandard FROM person m JOIN dose d USING (person_id)
    WHERE m.merged_into = ANY (people) AND d.status = 'completed' AND d.superseded_by IS NULL AND d.evidence <> 'declared';
$$;

-- Sort the living people of an area into kinds, in the transaction's table due_person: nobody of one kind can be told from
-- another by the programme's rules on that day; a null kind are those whose past has to be built. births, starts: the
-- limits of the day asked about, as due_day has them of the days of doses. codes: the facts about health that the rules
-- ask for.
CREATE OR REPLACE FUNCTION due_sort(
    of_programme integer, of_revision integer, of_area int4multirange, on_day date, births date[], starts date[],
    codes text[], by_sex boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET khien.area = '{(,)}' SET khien.purpose = 'vaccination' SET work_mem = '64MB' SET parallel_tuple_cost = 0.01
SET client_min_messages = warning AS $$
BEGIN
    DROP TABLE IF EXISTS pg_temp.due_person;
    -- Literals, because a table cannot be made with parameters.
    EXECUTE format($sql$
    CREATE TEMP TABLE due_person ON COMMIT DROP AS
    WITH doubles AS (
        SELECT m.merged_into AS person_id, bit_xor(m.person_id) AS doubles FROM person m
        WHERE m.merged_into IS NOT NULL GROUP BY 1
    ), fact AS (  -- of several of one code the latest counts
        SELECT coalesce(m.merged_into, f.person_id) AS person_id, f.code, max(lower(f.valid)) AS since FROM health_fact f
        LEFT JOIN person m ON m.person_id = f.person_id AND m.merged_into IS NOT NULL
        WHERE f.code = ANY (%7$L::text[]) AND f.valid @> %4$L::date GROUP BY 1, 2
    ), told AS (
        SELECT f.person_id, bit_xor(hash_array_extended(ARRAY[hashtextextended(f.code, 1),
                   width_bucket(f.since, %6$L::date[]), d.nth, width_bucket(f.since, y.starts)], 2)) AS facts
        FROM fact f JOIN due.history h ON h.programme_id = %1$s AND h.revision = %2$s AND h.person_id = f.person_id
        LEFT JOIN LATERAL unnest(h.days) WITH ORDINALITY AS d (day, nth) ON true
        LEFT JOIN due_day y ON y.programme_id = %1$s AND y.revision = %2$s AND y.day = d.day
        GROUP BY f.person_id
    )
    SELECT CASE WHEN k.kind IS NULL OR t.facts IS NULL THEN k.kind
                ELSE hash_array_extended(ARRAY[k.kind, t.facts], 5) END AS kind,
           k.person_id, k.unit_id
    FROM (
        SELECT CASE WHEN h.person_id IS NOT NULL THEN hash_array_extended(ARRAY[
                   h.past, width_bucket(p.birth_date, %5$L::date[]), CASE WHEN %8$L THEN ascii(p.sex) END,
                   width_bucket(h.days[1], %6$L::date[]), width_bucket(h.days[2], %6$L::date[]),
                   width_bucket(h.days[3], %6$L::date[]), width_bucket(h.days[4], %6$L::date[]),
                   CASE WHEN cardinality(h.days) > 4 THEN hash_array_extended(
                       ARRAY(SELECT width_bucket(day, %6$L::date[]) FROM unnest(h.days) day), 3) END], 4) END AS kind,
               p.person_id, p.present_unit AS unit_id
        FROM person p LEFT JOIN doubles b USING (person_id)
        LEFT JOIN due.history h ON h.programme_id = %1$s AND h.person_id = p.person_id AND h.revision = %2$s
            AND h.birth_date = p.birth_date AND h.doubles = coalesce(b.doubles, 0)
        WHERE (%3$s) AND p.merged_into IS NULL AND p.died_on IS NULL AND p.birth_date <= %4$L::date
        OFFSET 0  -- a query of its own, which several processes do; only the few with facts are looked at after it
    ) k LEFT JOIN told t USING (person_id)
    $sql$, of_programme, of_revision, due_present(of_area), on_day, births, starts, codes, by_sex);
    GRANT SELECT ON due_person TO PUBLIC;  -- of this session, whose table it is
END $$;

-- What the engine has to know of some people: history as one number a dose, place * 2 (+ 1: substandard), with its day.
CREATE OR REPLACE FUNCTION due_examples(asked bigint[], on_day date, products text[], places integer[], codes text[])
RETURNS TABLE (person_id bigint, birth_date date, sex text, days date[], whats integer[], codes_known text[], since date[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET khien.area = '{(,)}' SET khien.purpose = 'vaccination' AS $$
    SELECT p.person_id, p.birth_date, p.sex, coalesce(g.days, '{}'), coalesce(g.whats, '{}'), f.codes, f.since
    FROM person p
    LEFT JOIN (
        SELECT d.person_id, array_agg(d.given_on ORDER BY d.given_on, d.dose_id) AS days,
               array_agg(v.place * 2 + d.substandard::int ORDER BY d.given_on, d.dose_id) AS whats
        FROM due_doses(asked) d JOIN unnest(products, places) AS v (product, place) USING (product)
        GROUP BY d.person_id) g USING (person_id)
    LEFT JOIN LATERAL (
        SELECT array_agg(h.code) AS codes, array_agg(h.since) AS since FROM (
            SELECT h.code, max(lower(h.valid)) AS since FROM health_fact h
            WHERE h.person_id IN (SELECT p.person_id UNION ALL
                                  SELECT m.person_id FROM person m WHERE m.merged_into = p.person_id)
              AND h.code = ANY (due_examples.codes) AND h.valid @> on_day GROUP BY 1) h) f ON true
    WHERE p.person_id = ANY (asked);
$$;
GRANT EXECUTE ON FUNCTION
    due_build(integer, integer, int4multirange, timestamptz, integer, text[], integer[], date[]),
    due_sort(integer, integer, int4multirange, date, date[], date[], text[], boolean),
    due_examples(bigint[], date, text[], integer[], text[]) TO khien_app, khien_loader;
