-- Passages and declarations, recorded for whoever comes by, wherever they live. Run after every migration.

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
CREATE OR REPLACE FUNCTION movement_notices(units int4multirange, since timestamptz, only_open boolean, most integer)
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
    WHERE m.unit_id <@ units AND m.at >= since AND (NOT only_open OR m.state = 'open')
    ORDER BY m.at DESC, m.person_id LIMIT most;
    PERFORM set_config('khien.area', v_area, true);
END $$;
GRANT EXECUTE ON FUNCTION movement_notices(int4multirange, timestamptz, boolean, integer) TO khien_app;

-- Declarations ----------------------------------------------------------------------------------------------------------

-- Keeps a batch of declarations: of whom the register knows (verdict 'match') as theirs, the others for reconciliation.
-- Who declares learns nothing of it. Outcomes by n: 'recorded', 'replayed' (with the pass given before), 'conflict'.
CREATE OR REPLACE FUNCTION declaration_record(
    at timestamptz, expires timestamptz, channel text, form text, client_ids uuid[], pass_ids uuid[], parties uuid[],
    numbers text[], names text[], births text[], born_first date[], born_last date[], sexes text[], verdicts text[],
    notes text[], from_units integer[], to_units integer[], plates text[], answers jsonb[]
) RETURNS TABLE (n integer, outcome text, pass_id uuid, expires_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET khien.area = '{(,)}' AS $$
#variable_conflict use_column
BEGIN
    IF khien_purpose() IS NULL THEN
        RAISE insufficient_privilege USING MESSAGE = 'nobody acts: khien.purpose is not set';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(c::text, 6421)) FROM unnest(client_ids) AS c ORDER BY c;
    CREATE TEMP TABLE IF NOT EXISTS declaration_coming (
        n integer, client_id uuid, pass_id uuid, party uuid, person_id bigint, verdict text, notes text, from_unit integer,
        to_unit integer, plate text, answers jsonb, declared jsonb, expires_at timestamptz, outcome text) ON COMMIT DROP;
    TRUNCATE declaration_coming;
    INSERT INTO declaration_coming
    SELECT e.n::integer, e.client_id, coalesce(b.pass_id, e.pass_id), e.party, i.person_id, e.verdict, e.notes,
        e.from_unit, e.to_unit, e.plate, e.answers, e.declared, coalesce(b.expires_at, $2),
        CASE WHEN b.pass_id IS NULL THEN 'recorded'
             WHEN b.declared = e.declared OR b.person_id = i.person_id THEN 'replayed'
             ELSE 'conflict' END
    FROM (
        SELECT u.*, jsonb_strip_nulls(jsonb_build_object(
            'number', u.number, 'name', u.name, 'birth_date', u.birth, 'sex', u.sex)) AS declared
        FROM unnest(client_ids, pass_ids, parties, numbers, names, births, born_first, born_last, sexes, verdicts, notes,
                    from_units, to_units, plates, answers) WITH ORDINALITY
            AS u (client_id, pass_id, party, number, name, birth, born_first, born_last, sex, verdict, notes, from_unit,
                  to_unit, plate, answers, n)) e
    LEFT JOIN LATERAL (
        SELECT coalesce(p.merged_into, p.person_id) AS person_id
        FROM identifier i JOIN person p USING (person_id)
        WHERE e.verdict = 'match' AND i.value = e.number AND i.valid @> ($1 AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
          AND khien_fold(p.name) = khien_fold(e.name)
        LIMIT 1) i ON true
    LEFT JOIN LATERAL (
        SELECT d.pass_id, d.expires_at, d.person_id, NULL::jsonb AS declared FROM declaration d
        WHERE d.client_id = e.client_id
        UNION ALL
        SELECT u.pass_id, u.expires_at, NULL, u.declared FROM declaration_unmatched u WHERE u.client_id = e.client_id
        LIMIT 1) b ON true;
    INSERT INTO declaration (person_id, declaration_id, client_id, pass_id, party, channel, declared_at, expires_at,
                             from_unit, to_unit, plate, verdict, notes, form, answers, recorded_by)
    SELECT c.person_id, nextval('declaration_id_seq'), c.client_id, c.pass_id, c.party, $3, $1, c.expires_at,
        c.from_unit, c.to_unit, c.plate, c.verdict, c.notes, $4, c.answers, khien_account()
    FROM declaration_coming c WHERE c.outcome = 'recorded' AND c.person_id IS NOT NULL;
    INSERT INTO declaration_unmatched (declaration_id, client_id, pass_id, party, channel, declared_at, expires_at,
                                       from_unit, to_unit, plate, verdict, notes, form, answers, recorded_by, declared)
    SELECT nextval('declaration_id_seq'), c.client_id, c.pass_id, c.party, $3, $1, c.expires_at,
        c.from_unit, c.to_unit, c.plate, c.verdict, c.notes, $4, c.answers, khien_account(), c.declared
    FROM declaration_coming c WHERE c.outcome = 'recorded' AND c.person_id IS NULL;
    INSERT INTO movement_notice (person_id, unit_id, kind, at, source, other_unit)
    SELECT c.person_id, v.unit_id, v.kind, $1, 'declaration', v.other_unit
    FROM declaration_coming c
    CROSS JOIN LATERAL (VALUES (c.from_unit, 'leaves', c.to_unit), (c.to_unit, 'arrives', c.from_unit))
        AS v (unit_id, kind, other_unit)
    WHERE c.outcome = 'recorded' AND c.person_id IS NOT NULL AND v.unit_id IS NOT NULL
      AND c.from_unit IS DISTINCT FROM c.to_unit
    ON CONFLICT DO NOTHING;
    PERFORM access_append('declaration.write', ARRAY(
        SELECT c.person_id FROM declaration_coming c WHERE c.outcome = 'recorded' AND c.person_id IS NOT NULL),
        jsonb_build_object('channel', $3, 'declarations', (
            SELECT count(*) FROM declaration_coming c WHERE c.outcome = 'recorded')));
    RETURN QUERY SELECT c.n, c.outcome, CASE WHEN c.outcome <> 'conflict' THEN c.pass_id END, c.expires_at
    FROM declaration_coming c ORDER BY c.n;
END $$;
GRANT EXECUTE ON FUNCTION declaration_record(
    timestamptz, timestamptz, text, text, uuid[], uuid[], uuid[], text[], text[], text[], date[], date[], text[], text[],
    text[], integer[], integer[], text[], jsonb[]) TO khien_app;

-- What a pass stands for, to somebody who holds it: its state, the journey, and who it was given to. Null values where
-- the declaration is not known here (older than its retention, or another installation's). The caller logs it.
CREATE OR REPLACE FUNCTION pass_facts(pass uuid)
RETURNS TABLE (person_id bigint, number text, name text, birth_date text, sex text, verdict text, notes text,
               from_unit integer, to_unit integer, plate text, party uuid, channel text, declared_at timestamptz,
               expires_at timestamptz, revoked_at timestamptz, answers jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET khien.area = '{(,)}' AS $$
    SELECT d.person_id, i.value, p.name,
        to_char(p.birth_date, CASE p.birth_precision WHEN 'd' THEN 'YYYY-MM-DD' WHEN 'm' THEN 'YYYY-MM' ELSE 'YYYY' END),
        p.sex, d.verdict, d.notes, d.from_unit, d.to_unit, d.plate, d.party, d.channel, d.declared_at, d.expires_at,
        d.revoked_at, d.answers
    FROM declaration d JOIN person p USING (person_id)
    LEFT JOIN LATERAL (SELECT i.value FROM identifier i WHERE i.person_id = d.person_id
        ORDER BY array_position('{personal_number,cmnd,passport,insurance,provisional}'::text[], i.kind) LIMIT 1) i ON true
    WHERE d.pass_id = $1 AND khien_purpose() IS NOT NULL
    UNION ALL
    SELECT NULL, u.declared ->> 'number', u.declared ->> 'name', u.declared ->> 'birth_date', u.declared ->> 'sex',
        u.verdict, u.notes, u.from_unit, u.to_unit, u.plate, u.party, u.channel, u.declared_at, u.expires_at, u.revoked_at,
        u.answers
    FROM declaration_unmatched u WHERE u.pass_id = $1 AND khien_purpose() IS NOT NULL
    LIMIT 1
$$;
GRANT EXECUTE ON FUNCTION pass_facts(uuid) TO khien_app;

-- Revoke a pass, or all passes of those declared together; how many.
CREATE OR REPLACE FUNCTION pass_revoke(pass uuid, at timestamptz, reason text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET khien.area = '{(,)}' AS $$
DECLARE
    v_count integer;
    v_more integer;
BEGIN
    IF khien_purpose() IS NULL THEN
        RAISE insufficient_privilege USING MESSAGE = 'nobody acts: khien.purpose is not set';
    END IF;
    UPDATE declaration d SET revoked_at = $2, revoke_reason = $3 WHERE d.pass_id = $1 AND d.revoked_at IS NULL;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    UPDATE declaration_unmatched u SET revoked_at = $2, revoke_reason = $3 WHERE u.pass_id = $1 AND u.revoked_at IS NULL;
    GET DIAGNOSTICS v_more = ROW_COUNT;
    RETURN v_count + v_more;
END $$;
GRANT EXECUTE ON FUNCTION pass_revoke(uuid, timestamptz, text) TO khien_app;

-- From declarations, for whoever checks an identity: replaces the empty one of ../functions.sql.
CREATE OR REPLACE FUNCTION checkpoint_notice_pass(persons bigint[], at timestamptz)
    RETURNS TABLE (person_id bigint, notice text)
    LANGUAGE sql STABLE AS $$
    SELECT d.person_id, CASE WHEN bool_or(d.revoked_at IS NULL AND d.expires_at > $2) THEN 'pass_valid'
                             WHEN bool_or(d.revoked_at IS NOT NULL AND d.expires_at > $2) THEN 'pass_revoked'
                             ELSE 'pass_expired' END
    FROM unnest($1) AS asked (person_id) JOIN declaration d ON d.person_id = asked.person_id
    GROUP BY d.person_id
$$;

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
