-- Declarations and the passes given for them. Run after every migration.

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
