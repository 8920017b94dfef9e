-- Passages, recorded for whoever comes by, wherever they live; figures; retention. Run after every migration.

-- The police of a commune see what concerns it, and a checkpoint what happened there, though the person lives elsewhere.
-- Beside the policy that follows the person (access/policies.sql).
DROP POLICY IF EXISTS khien_here ON passage;
CREATE POLICY khien_here ON passage FOR SELECT USING (unit_id <@ (SELECT khien_area()));
DROP POLICY IF EXISTS khien_here ON movement_notice;
CREATE POLICY khien_here ON movement_notice USING (unit_id <@ (SELECT khien_area()));
-- What could not be matched names nobody in the register, but holds what somebody declared: the same lock by place.
ALTER TABLE passage_unmatched ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS khien_here ON passage_unmatched;
CREATE POLICY khien_here ON passage_unmatched USING ((SELECT khien_nation()) OR unit_id <@ (SELECT khien_area()));
ALTER TABLE declaration_unmatched ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS khien_here ON declaration_unmatched;
CREATE POLICY khien_here ON declaration_unmatched USING (
    (SELECT khien_nation()) OR from_unit <@ (SELECT khien_area()) OR to_unit <@ (SELECT khien_area()));

-- Months ----------------------------------------------------------------------------------------------------------------

-- Makes the month of a moment ready; months from 2020 on only, so that a faulty clock makes no tables.
CREATE OR REPLACE FUNCTION passage_month_ready(moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF moment >= '2020-01-01' AND moment < '2100-01-01'
       AND to_regclass('public.passage_' || to_char(moment, 'YYYY_MM')) IS NULL THEN
        PERFORM pg_advisory_xact_lock(6419);
        PERFORM khien_months('passage', moment::date, (moment + interval '1 month')::date);
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION passage_month_ready(timestamptz) TO khien_app, khien_loader;
-- The months in which decisions are taken now: the demonstration's or the real ones.
SELECT passage_month_ready(coalesce(demo_on, current_date) + make_interval(months => m))
FROM clock, generate_series(-1, 12) AS m;

-- Passages --------------------------------------------------------------------------------------------------------------

-- Records a batch at one checkpoint. An entry names its person by person_id (seen by the caller), by pass, or by number
-- with name and birth date. Outcomes by n: 'recorded', 'replayed', 'conflict' (the client id was used for something
-- else), 'unmatched' (kept for reconciliation). Looks at the nation, because travellers live anywhere; gives out ids of
-- people alone, and only of those whose number, name and birth date or whose pass the caller holds.
CREATE OR REPLACE FUNCTION passage_record(
    checkpoint integer, at timestamptz, device integer, client_ids uuid[], passed timestamptz[], persons bigint[],
    numbers text[], names text[], born_first date[], born_last date[], passes uuid[], directions text[],
    from_units integer[], to_units integer[], plates text[], companions smallint[], parties uuid[], checks text[]
) RETURNS TABLE (n integer, outcome text, person_id bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_area text := current_setting('khien.area', true);
    v_unit integer := (SELECT c.unit_id FROM checkpoint c WHERE c.checkpoint_id = $1);
    v_today date := (at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
    v_seen bigint[];
BEGIN
    IF khien_purpose() IS NULL OR v_unit IS NULL OR NOT v_unit <@ khien_area() THEN
        RAISE insufficient_privilege USING MESSAGE = 'the checkpoint lies beyond the area of the caller';
    END IF;
    v_seen := ARRAY(SELECT p.person_id FROM person p WHERE p.person_id = ANY (persons));
    PERFORM set_config('khien.area', '{(,)}', true);
    -- Two deliveries of one message must not both find it new.
    PERFORM pg_advisory_xact_lock(hashtextextended(c::text, 6420)) FROM unnest(client_ids) AS c ORDER BY c;
    CREATE TEMP TABLE IF NOT EXISTS passage_coming (
        n integer, client_id uuid, passed_at timestamptz, person_id bigint, number text, name text, born_first date,
        born_last date, pass_id uuid, direction text, from_unit integer, to_unit integer, plate text,
        companions smallint, party uuid, checked text, outcome text) ON COMMIT DROP;
    TRUNCATE passage_coming;
    INSERT INTO passage_coming
    SELECT e.n::integer, e.client_id, e.passed_at, w.person_id, e.number, e.name, e.born_first, e.born_last,
        coalesce(e.pass_id, j.pass_id), e.direction, coalesce(e.from_unit, d.from_unit, j.from_unit),
        coalesce(e.to_unit, d.to_unit, j.to_unit), coalesce(e.plate, j.plate), e.companions, coalesce(e.party, j.party),
        e.checked, NULL
    FROM unnest(client_ids, passed, persons, numbers, names, born_first, born_last, passes, directions, from_units,
                to_units, plates, companions, parties, checks) WITH ORDINALITY
        AS e (client_id, passed_at, person_id, number, name, born_first, born_last, pass_id, direction, from_unit, to_unit,
              plate, companions, party, checked, n)
    LEFT JOIN LATERAL (SELECT d.person_id, d.from_unit, d.to_unit FROM declaration d
                       WHERE d.pass_id = e.pass_id LIMIT 1) d ON true
    LEFT JOIN LATERAL (
        SELECT coalesce(p.merged_into, p.person_id) AS person_id
        FROM identifier i JOIN person p USING (person_id)
        WHERE i.value = e.number AND i.valid @> v_today AND khien_fold(p.name) = khien_fold(e.name)
          AND p.birth_date <= e.born_last AND e.born_first <= CASE p.birth_precision
              WHEN 'd' THEN p.birth_date
              WHEN 'm' THEN (p.birth_date + interval '1 month')::date - 1
              ELSE (p.birth_date + interval '1 year')::date - 1 END
        LIMIT 1) i ON true
    CROSS JOIN LATERAL (SELECT coalesce(
        CASE WHEN e.person_id = ANY (v_seen) THEN e.person_id END, d.person_id, i.person_id) AS person_id) w
    LEFT JOIN LATERAL (  -- a card was shown: the journey declared for this day
        SELECT d.pass_id, d.from_unit, d.to_unit, d.plate, d.party FROM declaration d
        WHERE e.pass_id IS NULL AND d.person_id = w.person_id AND d.revoked_at IS NULL
          AND d.declared_at <= e.passed_at AND d.expires_at > e.passed_at
        ORDER BY d.declared_at DESC LIMIT 1) j ON true;
    UPDATE passage_coming c SET outcome =
        CASE WHEN c.n > (SELECT min(o.n) FROM passage_coming o WHERE o.client_id = c.client_id) THEN
                CASE WHEN EXISTS (SELECT FROM passage_coming o WHERE o.client_id = c.client_id AND o.n < c.n
                                  AND o.passed_at = c.passed_at AND o.direction = c.direction
                                  AND o.person_id IS NOT DISTINCT FROM c.person_id) THEN 'replayed' ELSE 'conflict' END
             WHEN b.client_id IS NOT NULL THEN
                CASE WHEN b.passed_at = c.passed_at AND b.checkpoint_id = $1 AND b.direction = c.direction
                          AND (b.person_id IS NULL OR b.person_id IS NOT DISTINCT FROM c.person_id) THEN 'replayed'
                     ELSE 'conflict' END
             WHEN c.person_id IS NULL THEN 'unmatched'
             ELSE 'recorded' END
    FROM passage_coming x
    LEFT JOIN LATERAL (
        SELECT p.client_id, p.passed_at, p.checkpoint_id, p.direction, p.person_id FROM passage p
        WHERE p.client_id = x.client_id
        UNION ALL
        SELECT u.client_id, u.passed_at, u.checkpoint_id, u.direction, NULL FROM passage_unmatched u
        WHERE u.client_id = x.client_id
        LIMIT 1) b ON true
    WHERE x.n = c.n;
    INSERT INTO passage (person_id, passed_at, client_id, checkpoint_id, unit_id, direction, from_unit, to_unit, plate,
                         companions, party, pass_id, checked, device_id, account_id, recorded_at)
    SELECT c.person_id, c.passed_at, c.client_id, $1, v_unit, c.direction, c.from_unit,
        coalesce(c.to_unit, CASE c.direction WHEN 'in' THEN v_unit END), c.plate, c.companions, c.party, c.pass_id,
        c.checked, device, khien_account(), at
    FROM passage_coming c WHERE c.outcome = 'recorded';
    INSERT INTO passage_unmatched (client_id, passed_at, checkpoint_id, unit_id, direction, noted, checked, device_id,
                                   account_id, recorded_at)
    SELECT c.client_id, c.passed_at, $1, v_unit, c.direction, jsonb_strip_nulls(jsonb_build_object(
            'number', c.number, 'name', c.name, 'birth_date', c.born_first, 'pass_id', c.pass_id, 'plate', c.plate,
            'companions', c.companions, 'party', c.party, 'from_unit', c.from_unit, 'to_unit', c.to_unit)),
        c.checked, device, khien_account(), at
    FROM passage_coming c WHERE c.outcome = 'unmatched';
    -- Both communes' police: where they come from (declared, else where they live), where they go.
    INSERT INTO movement_notice (person_id, unit_id, kind, at, source, other_unit, checkpoint_id)
    SELECT m.person_id, v.unit_id, v.kind, m.passed_at, 'passage', v.other_unit, $1
    FROM (SELECT c.person_id, c.passed_at, coalesce(c.from_unit, p.present_unit) AS from_unit,
                 coalesce(c.to_unit, CASE c.direction WHEN 'in' THEN v_unit END) AS to_unit
          FROM passage_coming c JOIN person p USING (person_id) WHERE c.outcome = 'recorded') m
    CROSS JOIN LATERAL (VALUES (m.from_unit, 'leaves', m.to_unit), (m.to_unit, 'arrives', m.from_unit))
        AS v (unit_id, kind, other_unit)
    WHERE v.unit_id IS NOT NULL AND m.from_unit IS DISTINCT FROM m.to_unit
    ON CONFLICT DO NOTHING;
    PERFORM set_config('khien.area', v_area, true);
    RETURN QUERY SELECT c.n, c.outcome, c.person_id FROM passage_coming c ORDER BY c.n;
END $$;
GRANT EXECUTE ON FUNCTION passage_record(
    integer, timestamptz, integer, uuid[], timestamptz[], bigint[], text[], text[], date[], date[], uuid[], text[],
    integer[], integer[], text[], smallint[], uuid[], text[]) TO khien_app, khien_loader;

-- Who passed a checkpoint of the caller's area, newest first, with what an officer reads out at a hand-over: the name and
-- the last three characters of the number. The caller logs it.
CREATE OR REPLACE FUNCTION passage_list(
    checkpoint integer, since timestamptz, until timestamptz, plate_is text, name_words text, most integer
) RETURNS TABLE (person_id bigint, name text, birth_year integer, number_tail text, passed_at timestamptz, direction text,
                 plate text, companions smallint, from_unit integer, to_unit integer, checked text, with_pass boolean,
                 recorded_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_area text := current_setting('khien.area', true);
BEGIN
    IF khien_purpose() IS NULL
       OR NOT EXISTS (SELECT FROM checkpoint c WHERE c.checkpoint_id = $1 AND c.unit_id <@ khien_area()) THEN
        RAISE insufficient_privilege USING MESSAGE = 'the checkpoint lies beyond the area of the caller';
    END IF;
    PERFORM set_config('khien.area', '{(,)}', true);
    RETURN QUERY
    SELECT a.person_id, p.name, extract(year FROM p.birth_date)::integer,
        (SELECT right(i.value, 3) FROM identifier i WHERE i.person_id = a.person_id
         ORDER BY array_position('{personal_number,cmnd,passport,insurance,provisional}'::text[], i.kind) LIMIT 1),
        a.passed_at, a.direction, a.plate, a.companions, a.from_unit, a.to_unit, a.checked, a.pass_id IS NOT NULL,
        a.recorded_at
    FROM passage a JOIN person p USING (person_id)
    WHERE a.checkpoint_id = $1 AND a.passed_at >= since AND a.passed_at < until
      AND (plate_is IS NULL OR a.plate = plate_is)
      AND (name_words IS NULL OR string_to_array(khien_fold(p.name), ' ') @> string_to_array(khien_fold(name_words), ' '))
    ORDER BY a.passed_at DESC, a.person_id LIMIT most;
    PERFORM set_config('khien.area', v_area, true);
END $$;
GRANT EXECUTE ON FUNCTION passage_list(integer, timestamptz, timestamptz, text, text, integer) TO khien_app;

-- Work list of communes within the caller's area, with the name: whose movement it is may live elsewhere.
DROP FUNCTION IF EXISTS movement_notices(int4multirange, timestamptz, boolean, integer);
CREATE OR REPLACE FUNCTION movement_notices(units int4multirange, since timestamptz, wanted text, most integer)
RETURNS TABLE (person_id bigint, name text, birth_year integer, unit_id integer, kind text, at timestamptz, source text,
               other_unit integer, checkpoint_id integer, state text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_area text := current_setting('khien.area', true);
BEGIN
    IF khien_purpose() IS NULL OR NOT units <@ khien_area() THEN
        RAISE insufficient_privilege USING MESSAGE = 'the units lie beyond the area of the caller';
    END IF;
    PERFORM set_config('khien.area', '{(,)}', true);
    RETURN QUERY
    SELECT m.person_id, p.name, extract(year FROM p.birth_date)::integer, m.unit_id, m.kind, m.at, m.source,
        m.other_unit, m.checkpoint_id, m.state
    FROM movement_notice m JOIN person p USING (person_id)
    WHERE m.unit_id <@ units AND m.at >= since AND m.state = wanted
    ORDER BY m.at DESC, m.person_id LIMIT most;
    PERFORM set_config('khien.area', v_area, true);
END $$;
GRANT EXECUTE ON FUNCTION movement_notices(int4multirange, timestamptz, text, integer) TO khien_app;

-- Figures ---------------------------------------------------------------------------------------------------------------

-- Every checkpoint between two moments, without anybody's identity: passages, checks and how they came out. A check of a
-- device stands for its checkpoint, one of an account for the checkpoint that its agency runs or that stands in the
-- agency's commune (if that is just one).
CREATE OR REPLACE FUNCTION checkpoint_figures(since timestamptz, until timestamptz)
RETURNS TABLE (checkpoint_id integer, code text, name text, unit_id integer, unit_name text, passages bigint,
               unmatched bigint, with_pass bigint, last_passage timestamptz, checks bigint, matched bigint,
               name_differs bigint, birth_date_differs bigint, unknown_number bigint, malformed bigint, other_verdict bigint,
               median_gap double precision)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET khien.area = '{(,)}' SET khien.purpose = 'statistics' AS $$
    WITH passed AS (
        SELECT p.checkpoint_id, p.passed_at, p.pass_id IS NOT NULL AS with_pass,
            extract(epoch FROM p.passed_at - lag(p.passed_at) OVER (PARTITION BY p.checkpoint_id ORDER BY p.passed_at)) AS gap
        FROM passage p WHERE p.passed_at >= $1 AND p.passed_at < $2
    ), flow AS (
        SELECT checkpoint_id, count(*) AS passages, count(*) FILTER (WHERE with_pass) AS with_pass,
            max(passed_at) AS last_passage, percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS median_gap
        FROM passed GROUP BY checkpoint_id
    ), kept AS (
        SELECT checkpoint_id, count(*) AS unmatched FROM passage_unmatched
        WHERE passed_at >= $1 AND passed_at < $2 GROUP BY checkpoint_id
    ), lone AS (
        SELECT a.id AS agency_id, min(c.checkpoint_id) AS checkpoint_id
        FROM agency a JOIN checkpoint c ON c.agency_id = a.id OR c.agency_id IS NULL AND c.unit_id = a.unit_id
        GROUP BY a.id HAVING count(*) = 1
    ), checked AS (
        -- The log runs by the real clock; a demonstration's day is shifted to it.
        SELECT coalesce((l.detail ->> 'checkpoint')::integer, o.checkpoint_id) AS checkpoint_id, l.detail ->> 'verdict' AS verdict
        FROM access_log l LEFT JOIN lone o ON o.agency_id = l.agency_id,
             (SELECT coalesce((now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date - demo_on, 0) AS days FROM clock) shift
        WHERE l.action = 'identity.check'
          AND l.at >= $1 + make_interval(days => shift.days) AND l.at < $2 + make_interval(days => shift.days)
    ), outcome AS (
        SELECT checkpoint_id, count(*) AS checks, count(*) FILTER (WHERE verdict = 'match') AS matched,
            count(*) FILTER (WHERE verdict = 'name_differs') AS name_differs,
            count(*) FILTER (WHERE verdict = 'birth_date_differs') AS birth_date_differs,
            count(*) FILTER (WHERE verdict = 'unknown_number') AS unknown_number,
            count(*) FILTER (WHERE verdict = 'malformed') AS malformed
        FROM checked WHERE checkpoint_id IS NOT NULL GROUP BY checkpoint_id
    )
    SELECT c.checkpoint_id, c.code, c.name, c.unit_id, u.name, coalesce(f.passages, 0), coalesce(k.unmatched, 0),
        coalesce(f.with_pass, 0), f.last_passage, coalesce(o.checks, 0), coalesce(o.matched, 0),
        coalesce(o.name_differs, 0), coalesce(o.birth_date_differs, 0), coalesce(o.unknown_number, 0),
        coalesce(o.malformed, 0),
        coalesce(o.checks - o.matched - o.name_differs - o.birth_date_differs - o.unknown_number - o.malformed, 0),
        f.median_gap
    FROM checkpoint c JOIN unit u USING (unit_id)
    LEFT JOIN flow f USING (checkpoint_id) LEFT JOIN kept k USING (checkpoint_id) LEFT JOIN outcome o USING (checkpoint_id)
    WHERE c.open && daterange($1::date, $2::date, '[]')
    ORDER BY c.code
$$;
GRANT EXECUTE ON FUNCTION checkpoint_figures(timestamptz, timestamptz) TO khien_app;

-- Passages of every checkpoint by hour.
CREATE OR REPLACE FUNCTION checkpoint_hours(since timestamptz, until timestamptz)
RETURNS TABLE (checkpoint_id integer, code text, hour timestamptz, came_in bigint, went_out bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET khien.area = '{(,)}' SET khien.purpose = 'statistics' AS $$
    SELECT p.checkpoint_id, c.code, date_trunc('hour', p.passed_at, 'Asia/Ho_Chi_Minh'),
        count(*) FILTER (WHERE p.direction = 'in'), count(*) FILTER (WHERE p.direction = 'out')
    FROM passage p JOIN checkpoint c USING (checkpoint_id)
    WHERE p.passed_at >= $1 AND p.passed_at < $2
    GROUP BY 1, 2, 3 ORDER BY 2, 3
$$;
GRANT EXECUTE ON FUNCTION checkpoint_hours(timestamptz, timestamptz) TO khien_app;

-- Zones for the kit: of grade 2 and higher, as ranges of unit ids. Empty where no zones are kept.
CREATE OR REPLACE FUNCTION checkpoint_kit_zones(day date) RETURNS TABLE (grade integer, area text, name text)
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF to_regclass('public.zone_order') IS NOT NULL THEN
        RETURN QUERY EXECUTE 'SELECT o.grade::integer, o.area::text, z.name FROM zone_order o JOIN zone z USING (zone_id)'
            ' WHERE o.valid @> $1 AND o.state NOT IN (''proposed'', ''withdrawn'') AND o.grade > 1 ORDER BY 1 DESC, 3'
            USING day;
    END IF;
END $$;

-- People for the kit who are to stay apart from everybody on any of these days. Nobody where no isolation is kept.
CREATE OR REPLACE FUNCTION checkpoint_kit_apart(first_day date, last_day date) RETURNS TABLE (person_id bigint)
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF to_regclass('public.isolation_order') IS NOT NULL THEN
        RETURN QUERY EXECUTE 'SELECT i.person_id FROM isolation_order i'
            ' WHERE i.ended_on IS NULL AND i.days && daterange($1, $2, ''[]'')' USING first_day, last_day;
    END IF;
END $$;

-- Retention ---------------------------------------------------------------------------------------------------------------

-- Drop the months of passages that end at or before `before`, and everything else about movement that is older. The log
-- keeps what went away: names of partitions and numbers of rows. Called as the owner (khien checkpoint retain).
CREATE OR REPLACE FUNCTION passage_retain(before timestamptz) RETURNS TABLE (what text, rows bigint)
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' SET khien.area = '{(,)}' AS $$
DECLARE
    part record;
    gone bigint;
    proof jsonb := '{}';
BEGIN
    FOR part IN
        SELECT c.oid::regclass AS name, c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'passage'::regclass AND c.relname ~ '^passage_\d{4}_\d{2}$'
          AND to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= before ORDER BY c.relname
    LOOP
        EXECUTE format('SELECT count(*) FROM %s', part.name) INTO gone;
        EXECUTE format('ALTER TABLE passage DETACH PARTITION %s', part.name);
        EXECUTE format('DROP TABLE %s', part.name);
        proof := proof || jsonb_build_object(part.relname, gone);
    END LOOP;
    -- Passages of months for which no partition was made when they came.
    WITH d AS (DELETE FROM passage_default p WHERE p.passed_at < date_trunc('month', before) RETURNING 1)
        SELECT count(*) INTO gone FROM d;
    proof := proof || jsonb_build_object('passage_default', gone);
    WITH d AS (DELETE FROM passage_unmatched u WHERE u.passed_at < before RETURNING 1) SELECT count(*) INTO gone FROM d;
    proof := proof || jsonb_build_object('passage_unmatched', gone);
    WITH d AS (DELETE FROM movement_notice m WHERE m.at < before RETURNING 1) SELECT count(*) INTO gone FROM d;
    proof := proof || jsonb_build_object('movement_notice', gone);
    WITH d AS (DELETE FROM declaration d WHERE d.expires_at < before RETURNING 1) SELECT count(*) INTO gone FROM d;
    proof := proof || jsonb_build_object('declaration', gone);
    WITH d AS (DELETE FROM declaration_unmatched u WHERE u.expires_at < before RETURNING 1) SELECT count(*) INTO gone FROM d;
    proof := proof || jsonb_build_object('declaration_unmatched', gone);
    PERFORM access_append('passage.retain', '{}', jsonb_build_object('before', before, 'rows', proof));
    RETURN QUERY SELECT e.key, e.value::bigint FROM jsonb_each_text(proof) e ORDER BY e.key;
END $$;
