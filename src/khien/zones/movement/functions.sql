-- Movement between communes, the work it makes, and its end. Run after every migration: each statement replaces.

-- Who went from where to where on which day, of the people whom the caller sees: a change of the register's place from
-- one day to the next, and passages between two units. Whoever goes the same way twice a day counts once. `late`: the
-- passage was recorded more than a day after it happened.
CREATE OR REPLACE FUNCTION zone_flows(first date, last date, of_level integer)
RETURNS TABLE (day date, from_unit integer, to_unit integer, people bigint, late bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp SET work_mem = '64MB' SET enable_nestloop = off
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    persons bigint[];
    days date[];
BEGIN
    SELECT array_agg(person_id), array_agg(day) INTO persons, days FROM (
        SELECT DISTINCT r.person_id, d.day FROM residence r, LATERAL (VALUES (lower(r.valid)), (upper(r.valid))) d (day)
        WHERE (lower(r.valid) BETWEEN first AND last OR upper(r.valid) BETWEEN first AND last)
          AND d.day BETWEEN first AND last
    ) change;
    RETURN QUERY
    WITH went AS (
        SELECT b.person_id, b.day, a.unit_id AS from_unit, b.unit_id AS to_unit, false AS late
        FROM zone_register_place(persons, days) b
        JOIN zone_register_place(persons, ARRAY(SELECT d - 1 FROM unnest(days) d)) a
            ON a.person_id = b.person_id AND a.day = b.day - 1
        WHERE persons IS NOT NULL AND a.certainty <> 'unknown' AND b.certainty <> 'unknown' AND a.unit_id <> b.unit_id
        UNION ALL
        SELECT p.person_id, (p.passed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, p.from_unit, p.to_unit,
            p.recorded_at > p.passed_at + interval '1 day'
        FROM passage p
        WHERE p.passed_at >= first::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh'
          AND p.passed_at < (last + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh' AND p.from_unit <> p.to_unit
    ), once AS (
        SELECT person_id, day, from_unit, to_unit, bool_or(late) AS late FROM went GROUP BY 1, 2, 3, 4
    ), above AS MATERIALIZED (
        SELECT u.unit_id, coalesce(a.unit_id, u.unit_id) AS above
        FROM unit u LEFT JOIN unit a ON a.level = of_level AND u.unit_id BETWEEN a.unit_id AND a.last_id
        WHERE u.unit_id IN (SELECT from_unit FROM once UNION SELECT to_unit FROM once)
    )
    SELECT o.day, f.above, t.above, count(*), count(*) FILTER (WHERE o.late)
    FROM once o JOIN above f ON f.unit_id = o.from_unit JOIN above t ON t.unit_id = o.to_unit
    WHERE f.above <> t.above GROUP BY 1, 2, 3;
END $$;

-- Make work for the police of other communes of those who left an area and of whom it is known where they are. The ids
-- of the people for whom something was made; the same again makes nothing.
CREATE OR REPLACE FUNCTION zone_push(
    of_zone integer, area int4multirange, households bigint[], place_units integer[], place_words text[],
    moment timestamptz, days integer, hours integer
) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    mine text := zone_look_everywhere(area, households, place_units);
    today date := (moment AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
    made bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(6420);
    PERFORM khien_months('zone_task', today - days, today + 1);
    WITH added AS (
        INSERT INTO zone_task (person_id, zone_id, unit_id, came_on, state, certainty, made_on)
        SELECT l.person_id, of_zone, l.other_unit, coalesce(l.moved_on, (moment AT TIME ZONE 'Asia/Ho_Chi_Minh')::date),
            'open', l.certainty, (moment AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
        FROM zone_lists(area, households, place_units, place_words, moment, days, hours) l
        WHERE l.moved = 'left' AND l.other_unit IS NOT NULL
        ON CONFLICT DO NOTHING RETURNING zone_task.person_id
    )
    SELECT coalesce(array_agg(person_id), '{}') INTO made FROM added;
    PERFORM set_config('khien.area', mine, true);
    RETURN made;
END $$;

-- The work of the caller's communes since a day. Whoever it is addressed to may see who it is about, also where the
-- register still has that person elsewhere.
CREATE OR REPLACE FUNCTION zone_tasks(since date)
RETURNS TABLE (person_id bigint, zone_id integer, unit_id integer, came_on date, state text, certainty text,
               made_on date, done_on date, note text, name text, birth_date date, birth_precision text, sex text,
               home_unit integer, zone text, address text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    mine text := current_setting('khien.area', true);
    reach int4multirange := khien_area();
BEGIN
    PERFORM set_config('khien.area', '{(,)}', true);
    RETURN QUERY
    SELECT t.person_id, t.zone_id, t.unit_id, t.came_on, t.state, t.certainty, t.made_on, t.done_on, t.note, p.name,
        p.birth_date, p.birth_precision::text, p.sex, p.home_unit, z.name, (
            SELECT r.address FROM residence r
            WHERE r.person_id = t.person_id AND r.unit_id = t.unit_id AND r.kind <> 'absence'
            ORDER BY lower(r.valid) DESC NULLS LAST LIMIT 1)
    FROM zone_task t JOIN person p ON p.person_id = t.person_id JOIN zone z ON z.zone_id = t.zone_id
    WHERE t.unit_id <@ reach AND (t.made_on >= since OR t.state = 'open')
    ORDER BY t.state = 'open' DESC, t.came_on DESC, t.person_id;
    PERFORM set_config('khien.area', mine, true);
END $$;

-- Report what came of one task of the caller's communes. The state it had; null: there is no such task here.
CREATE OR REPLACE FUNCTION zone_task_done(
    person bigint, zone integer, unit integer, came date, to_state text, from_states text[], today date, said text
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    mine text := current_setting('khien.area', true);
    reach int4multirange := khien_area();
    was text;
BEGIN
    PERFORM set_config('khien.area', '{(,)}', true);
    SELECT t.state INTO was FROM zone_task t
    WHERE t.person_id = person AND t.zone_id = zone AND t.unit_id = unit AND t.came_on = came AND t.unit_id <@ reach
    FOR UPDATE;
    UPDATE zone_task t SET state = to_state, done_on = today, done_by = khien_account(), note = said
    WHERE t.person_id = person AND t.zone_id = zone AND t.unit_id = unit AND t.came_on = came
      AND was = ANY (from_states);
    PERFORM set_config('khien.area', mine, true);
    RETURN was;
END $$;
GRANT EXECUTE ON FUNCTION
    zone_push(integer, int4multirange, bigint[], integer[], text[], timestamptz, integer, integer),
    zone_tasks(date), zone_task_done(bigint, integer, integer, date, text, text[], date, text) TO khien_app, khien_loader;

-- Drop the months of tasks that ended before a day, open ones too: what happened then is no work any more. The proof stands
-- in the log: each partition, how many tasks it held, how many of them open, its first and its last day.
CREATE OR REPLACE FUNCTION zone_task_expire(before_day date) RETURNS TABLE (partition text, tasks bigint, open bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET khien.area = '{(,)}' AS $$
DECLARE
    part record;
    first_on date;
    last_on date;
BEGIN
    IF before_day > (SELECT coalesce(demo_on, current_date) FROM clock) THEN
        RAISE invalid_parameter_value USING MESSAGE = 'the days to come cannot be dropped';
    END IF;
    FOR part IN
        SELECT c.oid::regclass AS name, c.relname::text AS label FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'zone_task'::regclass AND c.relname ~ '^zone_task_\d{4}_\d{2}$'
          AND to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= before_day ORDER BY c.relname
    LOOP
        EXECUTE format('SELECT count(*), count(*) FILTER (WHERE state = ''open''), min(came_on), max(came_on) FROM %s',
            part.name) INTO tasks, open, first_on, last_on;
        EXECUTE format('ALTER TABLE zone_task DETACH PARTITION %s', part.name);
        EXECUTE format('DROP TABLE %s', part.name);
        partition := part.label;
        PERFORM access_append('zone.expire', '{}', jsonb_build_object('before', before_day, 'partition', partition,
            'tasks', tasks, 'open', open, 'first', first_on, 'last', last_on));
        RETURN NEXT;
    END LOOP;
    -- What no month was made ready for.
    WITH gone AS (DELETE FROM zone_task_default WHERE came_on < date_trunc('month', before_day) RETURNING state)
    SELECT count(*), count(*) FILTER (WHERE state = 'open') INTO tasks, open FROM gone;
    IF tasks > 0 THEN
        partition := 'zone_task_default';
        PERFORM access_append('zone.expire', '{}', jsonb_build_object('before', before_day, 'partition', partition,
            'tasks', tasks, 'open', open));
        RETURN NEXT;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION zone_task_expire(date) TO khien_app, khien_loader;

-- A need that was entered in error goes away; the log has both.
GRANT DELETE ON person_need TO khien_app;
