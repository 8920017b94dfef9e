-- The identity check, answered for a whole batch at once and logged in the same transaction. Run after every migration.
-- Nothing here gives out what the register says: only whether it agrees, and what an officer may know of a match.

-- What the officer may know ------------------------------------------------------------------------------------------
-- Each source of notices is one function of this form: for people (by id) at a moment, zero or more short codes each.
-- The capability that knows replaces its function in its own functions.sql, which runs after this one: the empty ones
-- below are the agreement, not an answer. Plain SQL without settings, so that the planner takes them apart and an
-- empty one costs nothing.

-- From zones: 'from_zone_4' (lives or is in a zone of that grade); where people live and are is known already.
DROP FUNCTION IF EXISTS checkpoint_notice_zone(bigint[], timestamptz);  -- an earlier form
CREATE OR REPLACE FUNCTION checkpoint_notice_zone(persons bigint[], homes integer[], presents integer[], at timestamptz)
    RETURNS TABLE (person_id bigint, notice text)
    LANGUAGE sql STABLE AS $$ SELECT NULL::bigint, NULL::text WHERE false $$;

-- From tracing: 'isolation' (an isolation order is in force), 'recovered' (recovery recent enough to count).
CREATE OR REPLACE FUNCTION checkpoint_notice_tracing(persons bigint[], at timestamptz)
    RETURNS TABLE (person_id bigint, notice text)
    LANGUAGE sql STABLE AS $$ SELECT NULL::bigint, NULL::text WHERE false $$;

-- From declarations: 'pass_valid', 'pass_expired', 'pass_revoked'.
CREATE OR REPLACE FUNCTION checkpoint_notice_pass(persons bigint[], at timestamptz)
    RETURNS TABLE (person_id bigint, notice text)
    LANGUAGE sql STABLE AS $$ SELECT NULL::bigint, NULL::text WHERE false $$;

-- 'doses_green', 'doses_yellow' or nothing, by the rule of the day: green some days after the dose that completes the
-- series, yellow some days after the first.
CREATE OR REPLACE FUNCTION checkpoint_notice_doses(
    persons bigint[], disease text, green_until date, yellow_until date)
    RETURNS TABLE (person_id bigint, notice text)
    LANGUAGE sql STABLE AS $$
    SELECT d.person_id, CASE WHEN bool_or(d.nth >= d.primary_doses AND d.given_on <= $3) THEN 'doses_green'
                             ELSE 'doses_yellow' END
    FROM (
        SELECT d.person_id, d.given_on, v.primary_doses,
               row_number() OVER (PARTITION BY d.person_id ORDER BY d.given_on, d.dose_id) AS nth
        FROM unnest($1) AS asked (person_id)
        JOIN dose d ON d.person_id = asked.person_id
        JOIN vaccine_product v ON v.product = d.product
        WHERE v.disease = $2 AND d.status = 'completed' AND d.superseded_by IS NULL AND d.counts
          AND d.evidence <> 'declared'
    ) d
    GROUP BY d.person_id
    HAVING bool_or(d.nth >= d.primary_doses AND d.given_on <= $3) OR bool_or(d.given_on <= $4)
$$;

-- All notices of people, one text of codes a person.
DROP FUNCTION IF EXISTS checkpoint_notices(bigint[], timestamptz, text, date, date);  -- an earlier form
CREATE OR REPLACE FUNCTION checkpoint_notices(
    persons bigint[], homes integer[], presents integer[], at timestamptz, disease text, green_until date,
    yellow_until date)
    RETURNS TABLE (person_id bigint, notices text)
    LANGUAGE sql STABLE AS $$
    SELECT n.person_id, string_agg(DISTINCT n.notice, ' ') FROM (
        SELECT * FROM checkpoint_notice_doses($1, $5, $6, $7)
        UNION ALL SELECT * FROM checkpoint_notice_zone($1, $2, $3, $4)
        UNION ALL SELECT * FROM checkpoint_notice_tracing($1, $4)
        UNION ALL SELECT * FROM checkpoint_notice_pass($1, $4)
    ) n GROUP BY n.person_id
$$;

-- The check ----------------------------------------------------------------------------------------------------------

-- Answers each check with a line, in order: verdict, likeness of name, birth date ('-': nothing was compared), notes and
-- notices; and logs all of them as one link of the access log. The same decisions as
-- khien.checkpoints.rules.verdict.decide; `rules` is rulebook/checkpoints/identity.toml as JSON, of which the entry of
-- today is used. An empty number is malformed. Where there are `devices`, asked_by says which of them (1, 2 ...) asks each
-- check; one that is not enrolled or was revoked gets 'device_refused', and nothing about it is looked up.
-- A call of the door has one to a hundred checks, so what a statement costs before its first row counts: few statements,
-- and what needs no table is an expression, which plpgsql evaluates without starting a plan.
CREATE OR REPLACE FUNCTION checkpoint_answers(
    rules jsonb, devices integer[], asked_by integer[], numbers text[], names text[], born_first date[],
    born_last date[], sexes text[], cards text[], cards_issued date[], communes text[]
) RETURNS text[]
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_at timestamptz;
    v_today date;
    v_rule jsonb;
    v_accepts jsonb;
    v_checkpoints integer[];
    v_agency_of bigint[];
    v_lines text[];
    v_persons bigint[];
    v_matched bigint[];
    v_homes integer[];
    v_presents integer[];
    v_agencies bigint[];
    v_details jsonb[];
    v_doubles boolean;
    v_notices jsonb;
BEGIN
    SELECT coalesce((demo_on + (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::time) AT TIME ZONE 'Asia/Ho_Chi_Minh', now()),
           asking.checkpoints, asking.agencies
    INTO v_at, v_checkpoints, v_agency_of
    FROM clock, (
        SELECT array_agg(d.checkpoint_id ORDER BY a.n), array_agg(k.agency_id ORDER BY a.n)
        FROM unnest(devices) WITH ORDINALITY AS a (device, n)
        LEFT JOIN device d ON d.device_id = a.device AND d.revoked_at IS NULL
        LEFT JOIN checkpoint k ON k.checkpoint_id = d.checkpoint_id) asking (checkpoints, agencies);
    v_today := (v_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
    FOR v_n IN 0 .. jsonb_array_length(rules) - 1 LOOP
        v_rule := rules -> v_n;
        EXIT WHEN v_today BETWEEN coalesce((v_rule ->> 'valid_from')::date, '-infinity')
                              AND coalesce((v_rule ->> 'valid_until')::date, 'infinity');
        v_rule := NULL;
    END LOOP;
    IF v_rule IS NULL THEN
        RAISE no_data_found USING MESSAGE = 'no rule for identity checks is in force today';
    END IF;
    v_accepts := v_rule -> 'accepted_names';

    -- Rows come in the order of the arrays: loops alone join them (khien.checkpoints.door.line), and the sort below
    -- finds them sorted.
    SELECT array_agg(concat_ws(' ', j.verdict, coalesce(j.name, '-'), coalesce(j.birth, '-'), nullif(j.notes, ''))),
           array_agg(CASE WHEN j.verdict = 'match' THEN j.whole_id END),
           array_agg(j.home_unit), array_agg(j.present_unit), bool_or(j.merged_into IS NOT NULL),
           array_agg(j.person_id) FILTER (WHERE j.may_ask), array_agg(v_agency_of[j.by]) FILTER (WHERE j.may_ask),
           array_agg(CASE WHEN j.by IS NULL THEN jsonb_build_object('verdict', j.verdict)
                          ELSE jsonb_build_object('verdict', j.verdict, 'device', devices[j.by],
                                                  'checkpoint', v_checkpoints[j.by]) END) FILTER (WHERE j.may_ask)
    INTO v_lines, v_matched, v_homes, v_presents, v_doubles, v_persons, v_agencies, v_details
    FROM (
        SELECT c.*,
            CASE
                WHEN NOT c.may_ask THEN 'device_refused'
                WHEN c.number = '' THEN 'malformed'
                WHEN c.person_id IS NULL THEN 'unknown_number'
                WHEN NOT v_accepts ? c.name THEN 'name_differs'
                WHEN c.birth = 'differs' THEN 'birth_date_differs'
                WHEN c.died THEN 'deceased'
                WHEN c.card = 'cancelled' THEN 'card_cancelled'
                ELSE 'match'
            END AS verdict,
            CASE WHEN v_accepts ? c.name AND c.birth <> 'differs'
                 THEN concat_ws(' ', c.sex_note, CASE WHEN c.card IN ('unknown', 'expired') THEN 'card_' || c.card END,
                                c.commune_note) END AS notes
        FROM (
            SELECT q.n, q.by, q.number, q.may_ask, p.person_id, p.merged_into, p.home_unit, p.present_unit,
                coalesce(p.merged_into, p.person_id) AS whole_id,
                CASE WHEN p.name = q.name THEN 'same' ELSE khien_name_likeness(p.name, q.name) END AS name,
                CASE WHEN p.birth_date = q.born_first AND q.born_first = q.born_last AND p.birth_precision = 'd'
                        THEN 'same'
                     WHEN p.birth_date <= q.born_last AND q.born_first <= CASE p.birth_precision
                         WHEN 'd' THEN p.birth_date
                         WHEN 'm' THEN (p.birth_date + interval '1 month')::date - 1
                         ELSE (p.birth_date + interval '1 year')::date - 1 END THEN 'compatible'
                     WHEN p.person_id IS NOT NULL THEN 'differs' END AS birth,
                p.died_on <= v_today AS died,
                CASE WHEN q.card IS NOT NULL AND p.person_id IS NOT NULL
                     THEN checkpoint_card(p.person_id, q.card, q.issued, v_today) END AS card,
                CASE WHEN p.sex <> q.sex AND p.sex IN ('male', 'female') AND q.sex IN ('male', 'female')
                     THEN 'sex_differs' END AS sex_note,
                CASE WHEN q.commune IS NOT NULL AND p.person_id IS NOT NULL
                      AND NOT checkpoint_lives_in(q.commune, p.home_unit, p.present_unit)
                     THEN 'commune_differs' END AS commune_note
            FROM (
                SELECT a.*, devices IS NULL OR v_checkpoints[a.by] IS NOT NULL AS may_ask
                FROM unnest(asked_by, numbers, names, born_first, born_last, sexes, cards, cards_issued, communes)
                    WITH ORDINALITY AS a (by, number, name, born_first, born_last, sex, card, issued, commune, n)
            ) q
            LEFT JOIN identifier i ON i.value = q.number AND q.may_ask AND i.valid @> v_today
                AND i.kind = CASE WHEN length(q.number) = 12 THEN 'personal_number'
                                  WHEN length(q.number) = 9 THEN 'cmnd' ELSE 'provisional' END
            LEFT JOIN person p ON p.person_id = i.person_id
            ORDER BY q.n
        ) c
    ) j;

    IF v_details IS NOT NULL THEN
        PERFORM access_append_each('identity.check', v_persons, v_agencies, v_details);
    END IF;
    IF v_doubles THEN  -- rare: they live where the whole record says
        SELECT array_agg(coalesce(w.home_unit, m.home) ORDER BY m.n), array_agg(coalesce(w.present_unit, m.present) ORDER BY m.n)
        INTO v_homes, v_presents
        FROM unnest(v_matched, v_homes, v_presents) WITH ORDINALITY AS m (person_id, home, present, n)
        LEFT JOIN person w ON w.person_id = m.person_id;
    END IF;
    -- As an object, not by a join: the planner expects few rows of an array and would compare each with each.
    SELECT jsonb_object_agg(s.person_id, s.notices) INTO v_notices
    FROM checkpoint_notices(
        v_matched, v_homes, v_presents, v_at, v_rule ->> 'disease', v_today - (v_rule ->> 'green_days')::integer,
        v_today - (v_rule ->> 'yellow_days')::integer) s;
    IF v_notices IS NULL THEN
        RETURN v_lines;
    END IF;
    RETURN ARRAY(SELECT concat_ws(' ', r.line, v_notices ->> r.person_id::text)
                 FROM unnest(v_lines, v_matched) WITH ORDINALITY AS r (line, person_id, n) ORDER BY r.n);
END $$;

-- State of a declared card: 'valid', 'expired', 'cancelled' or 'unknown'. One number may be printed on several cards: the
-- declared day of issue tells which, else any valid one will do.
CREATE OR REPLACE FUNCTION checkpoint_card(person bigint, number text, issued date, today date) RETURNS text
    LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN bool_and(coalesce(k.cancelled_on <= $4, false)) THEN 'cancelled'
                WHEN bool_and(coalesce(k.cancelled_on <= $4, false) OR coalesce(k.expires_on < $4, false)) THEN 'expired'
                WHEN count(*) > 0 THEN 'valid'
                ELSE 'unknown' END
    FROM personal_card k
    WHERE k.person_id = $1 AND k.card_number = $2 AND ($3 IS NULL OR k.issued_on = $3)
$$;

-- Whether someone of these communes may well name the unit with this code as theirs: it holds one of them, or has
-- become one of them (cards and memories keep the old unit).
CREATE OR REPLACE FUNCTION checkpoint_lives_in(code text, home integer, present integer) RETURNS boolean
    LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM unit u
        WHERE u.code = $1 AND (
            $2 BETWEEN u.unit_id AND u.last_id OR $3 BETWEEN u.unit_id AND u.last_id
            OR EXISTS (SELECT FROM unit_succession s
                       WHERE s.from_id = u.unit_id AND (s.to_id = $2 OR s.to_id = $3)
                          OR s.to_id = u.unit_id AND (s.from_id = $2 OR s.from_id = $3))))
$$;

-- The one function that the door may call: one line a check, see checkpoint_answers. Without numbers it asks for its
-- device alone: the public key, which is no secret, of a device that may ask, else nothing; that is not logged.
CREATE OR REPLACE FUNCTION door_check(
    rules jsonb, devices integer[], asked_by integer[], numbers text[], names text[], born_first date[],
    born_last date[], sexes text[], cards text[], cards_issued date[], communes text[]
) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET khien.account = '' SET khien.agency = '' SET khien.purpose = 'movement-control'
    AS $$
BEGIN
    IF numbers IS NULL THEN
        RETURN (SELECT encode(d.public_key, 'hex') FROM device d
                WHERE d.device_id = devices[1] AND d.revoked_at IS NULL);
    END IF;
    RETURN array_to_string(checkpoint_answers(
        rules, coalesce(devices, '{}'), asked_by, numbers, names, born_first, born_last, sexes, cards, cards_issued,
        communes), E'\n');
END $$;

-- The same for an account: the officer's page and the command line. Who asks is logged as the session's actor.
CREATE OR REPLACE FUNCTION identity_answers(
    rules jsonb, numbers text[], names text[], born_first date[], born_last date[], sexes text[],
    cards text[], cards_issued date[], communes text[]
) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    RETURN checkpoint_answers(
        rules, NULL, array_fill(NULL::integer, ARRAY[cardinality(numbers)]), numbers, names, born_first, born_last,
        sexes, cards, cards_issued, communes);
END $$;

-- Both run as khien_checker, which row security does not limit, because they ask about anybody: that role may read what
-- a check compares and append to the log, and nobody can log in as it. They are granted by name.
GRANT CREATE ON SCHEMA public TO khien_checker;  -- to receive a function; taken back below
ALTER FUNCTION door_check(jsonb, integer[], integer[], text[], text[], date[], date[], text[], text[], date[], text[])
    OWNER TO khien_checker;
ALTER FUNCTION identity_answers(jsonb, text[], text[], date[], date[], text[], text[], date[], text[])
    OWNER TO khien_checker;
REVOKE CREATE ON SCHEMA public FROM khien_checker;
REVOKE ALL ON FUNCTION
    door_check(jsonb, integer[], integer[], text[], text[], date[], date[], text[], text[], date[], text[]),
    identity_answers(jsonb, text[], text[], date[], date[], text[], text[], date[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    door_check(jsonb, integer[], integer[], text[], text[], date[], date[], text[], text[], date[], text[])
    TO khien_door;
GRANT EXECUTE ON FUNCTION identity_answers(jsonb, text[], text[], date[], date[], text[], text[], date[], text[])
    TO khien_app;
GRANT USAGE ON SCHEMA public TO khien_checker;
GRANT SELECT ON clock, device, checkpoint, identifier, person, personal_card, unit, unit_succession, dose,
    vaccine_product, declaration, access_link TO khien_checker;
GRANT INSERT ON access_log, access_link TO khien_checker;
GRANT EXECUTE ON FUNCTION
    checkpoint_answers(jsonb, integer[], integer[], text[], text[], date[], date[], text[], text[], date[], text[]),
    checkpoint_notices(bigint[], integer[], integer[], timestamptz, text, date, date),
    checkpoint_notice_doses(bigint[], text, date, date), checkpoint_notice_pass(bigint[], timestamptz),
    checkpoint_notice_zone(bigint[], integer[], integer[], timestamptz),
    checkpoint_notice_tracing(bigint[], timestamptz), checkpoint_card(bigint, text, date, date),
    checkpoint_lives_in(text, integer, integer), khien_name_likeness(text, text), khien_name_sort(text),
    khien_fold(text), khien_account(), khien_agency(), khien_purpose(), access_take_lane(),
    access_canonical(integer, bigint, bigint, text, text, bigint, jsonb),
    access_content(integer, bigint, timestamptz, bigint, text),
    access_append_each(text, bigint[], bigint[], jsonb[]) TO khien_checker;

-- Earlier forms of these, in databases made before.
DROP FUNCTION IF EXISTS
    door_check(text, integer[], text[], text[], date[], date[], text[], text[], date[], text[]),
    door_check(jsonb, integer[], text[], text[], date[], date[], text[], text[], date[], text[]),
    identity_check(jsonb, text[], text[], date[], date[], text[], text[], date[], text[]),
    checkpoint_answers(boolean, jsonb, integer[], text[], text[], date[], date[], text[], text[], date[], text[]),
    checkpoint_check(boolean, jsonb, integer[], text[], text[], date[], date[], text[], text[], date[], text[]);
