-- Visits that nobody had to write down, check-ins by code, and what a checkpoint may know. Run after every migration.

-- From checkpoints, vaccination sessions and timetables to visits, for all moments from `first` to before `until`. With
-- `persons`, only of those groups (a lane's few minutes, a vehicle, a session, a shift) in which one of them was. The
-- same again changes nothing; a departure that became known is taken over. `rule` is made by tracing.movement.derive.
-- Runs with the nation's area: who was together does not depend on who asks.
CREATE OR REPLACE FUNCTION visit_derive(first timestamptz, until timestamptz, persons bigint[], rule jsonb)
    RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET khien.area = '{(,)}' SET client_min_messages = warning AS $$
#variable_conflict use_column
DECLARE
    v_lane interval := make_interval(mins => (rule -> 'lane' ->> 'minutes')::integer);
    v_within interval := make_interval(mins => (rule -> 'vehicle' ->> 'within_minutes')::integer);
    v_vehicle interval := make_interval(mins => (rule -> 'vehicle' ->> 'minutes')::integer);
    v_before interval := make_interval(mins => (rule -> 'session' ->> 'before_minutes')::integer);
    v_after interval := make_interval(mins => (rule -> 'session' ->> 'after_minutes')::integer);
    v_many bigint;
BEGIN
    IF persons IS NOT NULL  -- nothing known of them: most traces end here
       AND NOT EXISTS (SELECT FROM passage p WHERE p.person_id = ANY (persons) AND p.passed_at >= first AND p.passed_at < until)
       AND NOT EXISTS (SELECT FROM desk_visit d WHERE d.person_id = ANY (persons) AND d.screened_at >= first
                       AND d.screened_at < until)
       AND NOT EXISTS (SELECT FROM roster r WHERE r.person_id = ANY (persons)) THEN
        RETURN 0;
    END IF;
    CREATE TEMP TABLE IF NOT EXISTS visit_derived (
        person_id bigint, code text, kind text, name text, unit_id integer, came_at timestamptz, left_at timestamptz,
        source visit_source, seat text) ON COMMIT DROP;
    TRUNCATE visit_derived;
    IF persons IS NULL THEN
        INSERT INTO visit_derived
        SELECT p.person_id, 'lane:' || p.checkpoint_id || ':' || p.direction, 'checkpoint', c.name, p.unit_id,
            p.passed_at - v_lane, p.passed_at, 'passage', NULL
        FROM passage p JOIN checkpoint c USING (checkpoint_id)
        WHERE p.passed_at >= first AND p.passed_at < until AND v_lane > interval '0';
        INSERT INTO visit_derived
        SELECT v.person_id, 'vehicle:' || v.plate, 'travel', v.plate, NULL, v.passed_at,
            least(v.passed_at + v_vehicle, v.next), 'ticket', NULL
        FROM (SELECT p.person_id, p.plate, p.passed_at,
                  lead(p.passed_at) OVER (PARTITION BY p.person_id, p.plate ORDER BY p.passed_at) AS next
              FROM passage p WHERE p.plate IS NOT NULL AND p.passed_at >= first AND p.passed_at < until + v_vehicle) v
        WHERE v.passed_at < until AND v_vehicle > interval '0';
        INSERT INTO visit_derived
        SELECT d.person_id, 'session:' || d.session_id, 'vaccination', s.name, s.unit_id, d.screened_at - v_before,
            coalesce(d.left_at, d.observe_until, d.screened_at + v_after), 'vaccination', NULL
        FROM desk_visit d JOIN vaccination_session USING (session_id) JOIN site s USING (site_id)
        WHERE d.screened_at >= first AND d.screened_at < until AND v_before IS NOT NULL;
    ELSE
        INSERT INTO visit_derived
        SELECT DISTINCT o.person_id, 'lane:' || o.checkpoint_id || ':' || o.direction, 'checkpoint', c.name, o.unit_id,
            o.passed_at - v_lane, o.passed_at, 'passage'::visit_source, NULL::text
        FROM passage p JOIN passage o ON o.checkpoint_id = p.checkpoint_id AND o.direction = p.direction
            AND o.passed_at > p.passed_at - v_lane AND o.passed_at < p.passed_at + v_lane
            AND o.passed_at >= first - v_lane AND o.passed_at < until + v_lane
        JOIN checkpoint c ON c.checkpoint_id = o.checkpoint_id
        WHERE p.person_id = ANY (persons) AND p.passed_at >= first AND p.passed_at < until AND v_lane > interval '0';
        INSERT INTO visit_derived
        SELECT DISTINCT o.person_id, 'vehicle:' || o.plate, 'travel', o.plate, NULL::integer, o.passed_at,
            least(o.passed_at + v_vehicle, n.next), 'ticket'::visit_source, NULL::text
        FROM passage p JOIN passage o ON o.checkpoint_id = p.checkpoint_id AND o.plate = p.plate
            AND o.passed_at > p.passed_at - v_within AND o.passed_at < p.passed_at + v_within
            AND o.passed_at >= first - v_within AND o.passed_at < until + v_within
        CROSS JOIN LATERAL (SELECT min(q.passed_at) AS next FROM passage q
                            WHERE q.person_id = o.person_id AND q.plate = o.plate AND q.passed_at > o.passed_at
                              AND q.passed_at < o.passed_at + v_vehicle) n
        WHERE p.person_id = ANY (persons) AND p.passed_at >= first AND p.passed_at < until AND v_vehicle > interval '0';
        INSERT INTO visit_derived
        SELECT DISTINCT d.person_id, 'session:' || d.session_id, 'vaccination', s.name, s.unit_id, d.screened_at - v_before,
            coalesce(d.left_at, d.observe_until, d.screened_at + v_after), 'vaccination'::visit_source, NULL::text
        FROM desk_visit mine JOIN desk_visit d USING (session_id) JOIN vaccination_session USING (session_id)
        JOIN site s USING (site_id)
        WHERE mine.person_id = ANY (persons) AND mine.screened_at >= first AND mine.screened_at < until
          AND v_before IS NOT NULL;
    END IF;
    -- Screened again: the earlier guess of when the person came is gone.
    DELETE FROM visit v USING place p, visit_derived d
    WHERE d.source = 'vaccination' AND p.code = d.code AND v.person_id = d.person_id AND v.place_id = p.place_id
      AND v.source = 'vaccination' AND v.came_at <> d.came_at;
    INSERT INTO place (code, kind, name, unit_id)
    SELECT DISTINCT ON (d.code) d.code, d.kind, d.name, d.unit_id FROM visit_derived d ON CONFLICT (code) DO NOTHING;
    IF rule ? 'roster' THEN
        INSERT INTO visit_derived
        SELECT r.person_id, p.code, NULL, NULL, NULL, (day::date + r.starts) AT TIME ZONE 'Asia/Ho_Chi_Minh',
            (day::date + r.ends + CASE WHEN r.ends <= r.starts THEN interval '1 day' ELSE interval '0' END)
                AT TIME ZONE 'Asia/Ho_Chi_Minh', 'roster', NULL
        FROM roster r JOIN place p USING (place_id)
        CROSS JOIN generate_series((first AT TIME ZONE 'Asia/Ho_Chi_Minh')::date,
                                   (until AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, interval '1 day') AS day
        WHERE r.valid @> day::date AND extract(isodow FROM day)::smallint = ANY (r.weekdays)
          AND (day::date + r.starts) AT TIME ZONE 'Asia/Ho_Chi_Minh' >= first - interval '24 hours'
          AND (day::date + r.starts) AT TIME ZONE 'Asia/Ho_Chi_Minh' < until
          AND (persons IS NULL OR r.place_id IN (SELECT o.place_id FROM roster o WHERE o.person_id = ANY (persons)));
    END IF;
    PERFORM khien_months('visit', min(d.came_at)::date, (max(d.came_at) + interval '1 month')::date)
    FROM visit_derived d HAVING count(*) > 0;
    INSERT INTO visit AS v (person_id, place_id, came_at, left_at, span, source, seat)
    SELECT DISTINCT ON (d.person_id, d.came_at, p.place_id) d.person_id, p.place_id, d.came_at, d.left_at,
        visit_class(d.came_at, d.left_at), d.source, d.seat
    FROM visit_derived d JOIN place p USING (code) WHERE d.left_at > d.came_at
    ORDER BY d.person_id, d.came_at, p.place_id, d.left_at DESC
    ON CONFLICT (person_id, came_at, place_id) DO UPDATE SET left_at = excluded.left_at, span = excluded.span
        WHERE v.source = excluded.source AND v.left_at IS DISTINCT FROM excluded.left_at;
    GET DIAGNOSTICS v_many = ROW_COUNT;
    RETURN v_many;
END $$;

-- Check-ins ---------------------------------------------------------------------------------------------------------------

-- Notes that somebody came to a place, or left it. Who it is: the pass of a declaration; else number and name and birth
-- date that fit the register together; else a number with its first six characters starred, with name and birth date, if
-- they fit one person alone. What fits nobody is kept as noted. Says nothing of which it was.
CREATE OR REPLACE FUNCTION visit_note(
    message uuid, place bigint, moment timestamptz, leaving boolean, by_source visit_source, pass uuid, told_number text,
    ending text, told_name text, born_first date, born_last date, own bigint
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET khien.area = '{(,)}' SET client_min_messages = warning AS $$
DECLARE
    v_day date := (moment AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
    v_found bigint[];
BEGIN
    IF own IS NOT NULL THEN
        v_found := ARRAY[own];
    ELSIF pass IS NOT NULL THEN
        v_found := ARRAY(SELECT d.person_id FROM declaration d WHERE d.pass_id = pass AND d.revoked_at IS NULL LIMIT 1);
    ELSIF told_number <> '' THEN
        v_found := ARRAY(SELECT coalesce(p.merged_into, p.person_id) FROM identifier i JOIN person p USING (person_id)
                         WHERE i.value = told_number AND i.valid @> v_day AND khien_fold(p.name) = khien_fold(told_name)
                           AND p.birth_date BETWEEN born_first AND born_last LIMIT 1);
    ELSIF ending <> '' THEN
        v_found := ARRAY(SELECT DISTINCT coalesce(p.merged_into, p.person_id) FROM person p JOIN identifier i USING (person_id)
                         WHERE p.name_key = khien_name_key(told_name) AND p.birth_date BETWEEN born_first AND born_last
                           AND i.kind = 'personal_number' AND i.valid @> v_day AND right(i.value, 6) = ending
                           AND khien_fold(p.name) = khien_fold(told_name) LIMIT 2);
    END IF;
    IF coalesce(cardinality(v_found), 0) <> 1 THEN
        IF NOT leaving THEN
            INSERT INTO visit_unmatched (client_id, place_id, came_at, source, noted)
            VALUES (message, place, moment, by_source, jsonb_strip_nulls(jsonb_build_object(
                'number', nullif(told_number, ''), 'ending', nullif(ending, ''), 'name', told_name, 'birth_date', born_first,
                'pass_id', pass)))
            ON CONFLICT DO NOTHING;
        END IF;
        RETURN;
    END IF;
    PERFORM khien_months('visit', moment::date, (moment + interval '1 month')::date);
    IF leaving THEN
        UPDATE visit v SET left_at = moment, span = visit_class(v.came_at, moment)
        WHERE v.person_id = v_found[1] AND v.place_id = place AND v.left_at IS NULL AND v.came_at <= moment
          AND v.came_at > moment - interval '24 hours';
        RETURN;
    END IF;
    -- Scanned twice at the door: one visit.
    IF EXISTS (SELECT FROM visit v WHERE v.person_id = v_found[1] AND v.place_id = place AND v.left_at IS NULL
               AND v.came_at > moment - interval '5 minutes' AND v.came_at <= moment) THEN
        RETURN;
    END IF;
    INSERT INTO visit (person_id, place_id, came_at, left_at, span, source)
    VALUES (v_found[1], place, moment, NULL, visit_class(moment, NULL), by_source) ON CONFLICT DO NOTHING;
END $$;

-- The diary ---------------------------------------------------------------------------------------------------------------

-- Whose diary a code opens on a day, and how long they stay apart; nothing for a code that opens none.
CREATE OR REPLACE FUNCTION diary_of(code bytea, day date)
    RETURNS TABLE (person_id bigint, made_on date, ends_on date, isolated_until date)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET khien.area = '{(,)}' AS $$
    SELECT d.person_id, (d.made_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, d.ends_on, upper(i.days)
    FROM diary_link d LEFT JOIN isolation_order i ON i.person_id = d.person_id AND i.ended_on IS NULL
    WHERE d.digest = code AND d.ends_on > day
$$;

-- For checkpoints ---------------------------------------------------------------------------------------------------------

-- Who should stay apart from everybody, and who recovered lately, at a moment: the agreement of checkpoints/functions.sql.
CREATE OR REPLACE FUNCTION checkpoint_notice_tracing(persons bigint[], at timestamptz)
    RETURNS TABLE (person_id bigint, notice text)
    LANGUAGE sql STABLE AS $$
    SELECT i.person_id, 'isolation' FROM unnest($1) a (person_id) JOIN isolation_order i ON i.person_id = a.person_id
    WHERE i.ended_on IS NULL AND i.days @> ($2 AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
    UNION ALL
    SELECT r.person_id, 'recovered' FROM unnest($1) a (person_id) JOIN case_report r ON r.person_id = a.person_id
    WHERE r.state = 'recovered' AND r.ended_on > ($2 AT TIME ZONE 'Asia/Ho_Chi_Minh')::date - 183
$$;
GRANT SELECT ON isolation_order, case_report TO khien_checker;

-- What the retention of visits covers beside the partitions: check-ins of nobody, and timetables that are over.
CREATE OR REPLACE FUNCTION visit_expire_rest(before_day date) RETURNS TABLE (partition text, visits bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET khien.area = '{(,)}' AS $$
#variable_conflict use_column
DECLARE
    v_many bigint;
BEGIN
    DELETE FROM visit_unmatched WHERE came_at < before_day::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh';
    GET DIAGNOSTICS v_many = ROW_COUNT;
    IF v_many > 0 THEN
        PERFORM access_append('visit.expire', '{}',
            jsonb_build_object('before', before_day, 'partition', 'visit_unmatched', 'visits', v_many));
        RETURN QUERY SELECT 'visit_unmatched', v_many;
    END IF;
    DELETE FROM roster WHERE upper(valid) <= before_day;
    GET DIAGNOSTICS v_many = ROW_COUNT;
    IF v_many > 0 THEN
        PERFORM access_append('visit.expire', '{}',
            jsonb_build_object('before', before_day, 'partition', 'roster', 'visits', v_many));
        RETURN QUERY SELECT 'roster', v_many;
    END IF;
END $$;

GRANT EXECUTE ON FUNCTION visit_derive(timestamptz, timestamptz, bigint[], jsonb),
    visit_note(uuid, bigint, timestamptz, boolean, visit_source, uuid, text, text, text, date, date, bigint),
    diary_of(bytea, date), visit_expire_rest(date) TO khien_app, khien_loader;
