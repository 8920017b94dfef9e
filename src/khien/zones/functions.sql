-- Where people are, and who belongs to an area. Run after every migration: each statement replaces what was there.

-- Where somebody was seen, from passages at checkpoints: the unit they are in afterwards, as far as it is known.
CREATE OR REPLACE VIEW sighting WITH (security_invoker = true) AS
SELECT person_id, passed_at AS at, to_unit AS unit_id FROM passage WHERE to_unit IS NOT NULL;

-- Where the residence register says people are on days: the same rule as population.rules.residence.present_place.
-- Pairs of persons and days; one day serves all persons; persons null: everybody on that day. A person without any
-- residence has unit null. Dynamic, because the planner must see whether it is asked for one person or for a nation;
-- `= ANY`, because the policies let only such comparisons into an index; no nested loops, because row-level security
-- hides from the planner how many rows a range holds.
CREATE OR REPLACE FUNCTION zone_register_place(persons bigint[], days date[])
RETURNS TABLE (person_id bigint, day date, unit_id integer, certainty text, reason text, since date)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp SET enable_nestloop = off SET work_mem = '128MB'
AS $$
DECLARE
    -- The key forbids overlaps, so that a day has one spell of a kind at most.
    kinds text := $sql$
            max(r.unit_id) FILTER (WHERE r.kind = 'stay') AS stay,
            max(r.unit_id) FILTER (WHERE r.kind = 'temporary') AS temporary,
            max(r.unit_id) FILTER (WHERE r.kind = 'absence') AS absent_from,
            max(lower(r.valid)) FILTER (WHERE r.kind = 'stay') AS stay_since,
            max(lower(r.valid)) FILTER (WHERE r.kind = 'temporary') AS temporary_since$sql$;
    permanent text := $sql$,
            max(r.unit_id) FILTER (WHERE r.kind = 'permanent') AS permanent,
            max(lower(r.valid)) FILTER (WHERE r.kind = 'permanent') AS permanent_since$sql$;
    spells text := CASE
        WHEN persons IS NULL THEN  -- nearly everybody has a permanent residence and nothing else: joined, not grouped
            'SELECT a.person_id, $2[1] AS day, s.*, r.unit_id AS permanent, lower(r.valid) AS permanent_since FROM person a'
            ' LEFT JOIN (SELECT * FROM residence WHERE kind = ''permanent'' AND valid @> $2[1]) r ON r.person_id = a.person_id'
            ' LEFT JOIN (SELECT r.person_id AS id,' || kinds || ' FROM residence r'
            ' WHERE r.kind <> ''permanent'' AND r.valid @> $2[1] GROUP BY 1) s ON s.id = a.person_id'
        WHEN cardinality(days) > 1 THEN
            'SELECT * FROM (SELECT DISTINCT person_id, day FROM unnest($1, $2) AS t (person_id, day) WHERE person_id IS NOT NULL) a'
            ' LEFT JOIN (SELECT a.person_id, a.day,' || kinds || permanent || ' FROM (SELECT * FROM residence WHERE person_id = ANY ($1)) r'
            ' JOIN (SELECT DISTINCT person_id, day FROM unnest($1, $2) AS t (person_id, day)) a'
            ' ON a.person_id = r.person_id AND r.valid @> a.day GROUP BY 1, 2) s USING (person_id, day)'
        ELSE
            'SELECT a.person_id, $2[1] AS day, s.* FROM (SELECT DISTINCT unnest($1) AS person_id) a'
            ' LEFT JOIN (SELECT r.person_id AS id,' || kinds || permanent || ' FROM residence r'
            ' WHERE r.person_id = ANY ($1) AND r.valid @> $2[1] GROUP BY 1) s ON s.id = a.person_id WHERE a.person_id IS NOT NULL'
        END;
BEGIN
    RETURN QUERY EXECUTE format($sql$
    WITH placed AS (
        SELECT s.*,
            CASE WHEN stay IS NOT NULL AND stay IS DISTINCT FROM absent_from THEN 'stay'
            WHEN temporary IS NOT NULL AND temporary IS DISTINCT FROM absent_from THEN 'temporary'
            WHEN permanent IS NOT NULL AND permanent IS DISTINCT FROM absent_from THEN 'permanent'
            WHEN coalesce(stay, temporary, permanent) IS NOT NULL THEN 'absent'
            ELSE 'none' END AS reason
        FROM (%s) s
    ), known AS (  -- the spell that ended last is looked up one by one, but only for those without any on the day
        SELECT p.*, CASE WHEN p.reason = 'none' THEN (
            SELECT r FROM residence r
            WHERE r.person_id = p.person_id AND r.kind <> 'absence' AND coalesce(lower(r.valid), '-infinity') <= p.day
            ORDER BY coalesce(upper(r.valid), 'infinity') DESC, coalesce(lower(r.valid), '-infinity') DESC,
                r.kind::text COLLATE "C"
            LIMIT 1) END AS last
        FROM placed p
    )
    SELECT p.person_id, p.day,
        CASE p.reason WHEN 'stay' THEN stay WHEN 'temporary' THEN temporary WHEN 'permanent' THEN permanent
            WHEN 'absent' THEN coalesce(stay, temporary, permanent) ELSE (p.last).unit_id END,
        CASE WHEN p.reason = 'stay' OR p.reason = 'temporary' AND stay IS NULL
                  OR p.reason = 'permanent' AND coalesce(stay, temporary) IS NULL THEN 'registered'
             WHEN p.reason IN ('temporary', 'permanent') OR (p.last).unit_id IS NOT NULL THEN 'presumed' ELSE 'unknown' END,
        CASE WHEN (p.last).unit_id IS NOT NULL THEN 'last_known' ELSE p.reason END,
        CASE p.reason WHEN 'stay' THEN stay_since WHEN 'temporary' THEN temporary_since
            WHEN 'permanent' THEN permanent_since
            WHEN 'absent' THEN CASE WHEN stay IS NOT NULL THEN stay_since WHEN temporary IS NOT NULL
                THEN temporary_since ELSE permanent_since END
            ELSE lower((p.last).valid) END
    FROM known p
    $sql$, spells)
    USING persons, days;
END $$;

-- Where people are at a moment, from the register and from passages of the last hours: the same rule as
-- zones.rules.presence.place_at. The register's own answer stands beside it. Persons null: everybody.
CREATE OR REPLACE FUNCTION zone_presence(persons bigint[], moment timestamptz, hours integer)
RETURNS TABLE (person_id bigint, unit_id integer, certainty text, reason text, since date,
               register_unit integer, register_certainty text, register_reason text, register_since date)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    today date := (moment AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
    seen_from timestamptz := moment - make_interval(hours => hours);  -- a constant, so that months are left out by the plan
BEGIN
    RETURN QUERY EXECUTE format($sql$
    WITH seen AS (
        SELECT DISTINCT ON (s.person_id) s.person_id, s.unit_id,
            (s.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day
        FROM sighting s
        WHERE s.at > $3 AND s.at <= $2 %s
        ORDER BY s.person_id, s.at DESC, s.unit_id DESC
    )
    SELECT r.person_id, coalesce(s.unit_id, r.unit_id), CASE WHEN s.unit_id IS NULL THEN r.certainty ELSE 'seen' END,
        CASE WHEN s.unit_id IS NULL THEN r.reason ELSE 'passage' END, coalesce(s.day, r.since),
        r.unit_id, r.certainty, r.reason, r.since
    FROM zone_register_place($1, ARRAY[$4]) r
    LEFT JOIN seen s ON s.person_id = r.person_id
        AND (r.reason IN ('none', 'last_known') OR coalesce(r.since <= s.day, true))
    $sql$, CASE WHEN persons IS NULL THEN '' ELSE 'AND s.person_id = ANY ($1)' END)
    USING persons, moment, seen_from, today;
END $$;

-- Everybody whom an area concerns at a moment, one row a person. `list`: resident_present (permanent residence there),
-- temporary_present, resident_away (permanent or temporary residence there, is elsewhere), not_found (nothing says where),
-- left (only passing through). `moved` within the last `days`: arrived (other_unit: from where) or left (to where).
-- The area is units, households, and words in the addresses of units. Under the policies of whoever calls. `touching`:
-- only those who have or had to do with these units, for a border that moves.
CREATE OR REPLACE FUNCTION zone_lists(
    area int4multirange, households bigint[], place_units integer[], place_words text[],
    moment timestamptz, days integer, hours integer, touching int4multirange DEFAULT NULL
) RETURNS SETOF zone_member
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp SET work_mem = '64MB' SET enable_nestloop = off
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    today date := (moment AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
    first date := today - days;
    span daterange := daterange(first, today, '[]');
    seen_from timestamptz := first::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh';
    units integer[] := ARRAY(SELECT u.unit_id FROM unit u WHERE u.unit_id <@ area);
    looked integer[] := ARRAY(SELECT u.unit_id FROM unit u WHERE u.unit_id <@ coalesce(touching, area));
    passed bigint[];  -- who was seen there, and when last
    passed_at timestamptz[];
    touched bigint[];
    candidates bigint[];
    newborn bigint[];
BEGIN
    -- Ids travel as arrays: `= ANY` is the one comparison of a list that the policies let into an index.
    SELECT array_agg(s.person_id), array_agg(s.at) INTO passed, passed_at FROM (
        SELECT s.person_id, max(s.at) AS at FROM sighting s
        WHERE s.unit_id = ANY (looked) AND s.at >= seen_from AND s.at <= moment GROUP BY s.person_id) s;
    touched := ARRAY(
        SELECT r.person_id FROM residence r
        WHERE r.unit_id = ANY (looked) AND r.kind <> 'absence' AND r.valid && span
        UNION SELECT r.person_id FROM unnest(place_units) AS place (unit_id) JOIN residence r USING (unit_id)
        UNION SELECT m.person_id FROM household_member m WHERE m.household_id = ANY (households) AND m.valid && span
        UNION SELECT unnest(passed)
        UNION SELECT p.person_id FROM person p WHERE p.home_unit = ANY (looked)
        UNION SELECT p.person_id FROM person p WHERE p.present_unit = ANY (looked));
    SELECT array_agg(p.person_id), coalesce(array_agg(p.person_id) FILTER (WHERE p.birth_date > first), '{}')
    INTO candidates, newborn FROM person p
    WHERE p.person_id = ANY (touched) AND p.merged_into IS NULL AND (p.died_on IS NULL OR p.died_on > today);
    IF touching IS NOT NULL THEN  -- of those few, wherever in the area they were seen
        SELECT array_agg(s.person_id), array_agg(s.at) INTO passed, passed_at FROM (
            SELECT s.person_id, max(s.at) AS at FROM sighting s
            WHERE s.person_id = ANY (candidates) AND s.unit_id = ANY (units) AND s.at >= seen_from AND s.at <= moment
            GROUP BY s.person_id) s;
    END IF;
    RETURN QUERY
    WITH part AS MATERIALIZED (  -- residences in smaller parts of the area
        SELECT r.person_id, r.kind::text AS kind, coalesce(lower(r.valid), '-infinity') AS since, r.valid @> today AS now
        FROM unnest(place_units, place_words) AS place (unit_id, words) JOIN residence r USING (unit_id)
        WHERE r.kind <> 'absence' AND khien_fold(r.address) LIKE '%' || place.words || '%'
        UNION
        SELECT m.person_id, 'permanent', coalesce(lower(r.valid), '-infinity'), r.valid @> today
        FROM household_member m JOIN household h USING (household_id)
        JOIN residence r ON r.person_id = m.person_id AND r.kind = 'permanent' AND r.unit_id = h.unit_id
        WHERE m.household_id = ANY (households) AND m.valid && span AND r.person_id = ANY (candidates)
    ), spell AS MATERIALIZED (
        SELECT r.person_id, r.kind FROM residence r
        WHERE r.unit_id = ANY (units) AND r.kind IN ('permanent', 'temporary') AND r.valid @> today
    ), seen AS MATERIALIZED (
        SELECT t.person_id, (t.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day
        FROM unnest(passed, passed_at) AS t (person_id, at)
    ), resident AS MATERIALIZED (
        SELECT person_id, bool_or(kind = 'permanent') AS permanent FROM (
            SELECT person_id, kind::text FROM spell
            UNION ALL
            SELECT person_id, kind FROM part WHERE kind IN ('permanent', 'temporary') AND now
        ) held (person_id, kind) GROUP BY person_id
    ), place AS MATERIALIZED (
        SELECT p.*,
            p.certainty <> 'unknown' AND (p.unit_id <@ area
                OR (p.person_id, p.reason, coalesce(p.since, '-infinity')) IN (SELECT person_id, kind, since FROM part)) AS here,
            p.register_certainty <> 'unknown' AND (p.register_unit <@ area
                OR (p.person_id, p.register_reason, coalesce(p.register_since, '-infinity')) IN (SELECT person_id, kind, since FROM part)) AS home
        FROM zone_presence(candidates, moment, hours) p
    ), change AS MATERIALIZED (  -- the days on which somebody's residence began or ended: on others nothing changes
        SELECT DISTINCT r.person_id, d.day
        FROM residence r CROSS JOIN LATERAL (VALUES (first), (lower(r.valid)), (upper(r.valid))) d (day)
        WHERE r.person_id = ANY (candidates)
          AND (lower(r.valid) > first AND lower(r.valid) <= today OR upper(r.valid) > first AND upper(r.valid) <= today)
          AND d.day >= first AND d.day <= today
    ), trail AS MATERIALIZED (
        SELECT t.person_id, t.day, CASE WHEN t.certainty <> 'unknown' THEN t.unit_id END AS unit_id,
            t.certainty <> 'unknown' AND coalesce(t.unit_id <@ area
                OR (t.person_id, t.reason, coalesce(t.since, '-infinity')) IN (SELECT person_id, kind, since FROM part), false) AS inside
        FROM (SELECT array_agg(person_id) AS persons, array_agg(day) AS days FROM change) c,
            zone_register_place(c.persons, c.days) t
        WHERE c.persons IS NOT NULL
    ), bound AS (
        SELECT person_id, max(day) FILTER (WHERE inside) AS last_inside, max(day) FILTER (WHERE NOT inside) AS last_outside
        FROM trail GROUP BY person_id
    ), past AS MATERIALIZED (
        SELECT t.person_id, b.last_inside, b.last_outside,
            bool_or(t.day = first AND t.inside) AS began_inside,
            min(t.day) FILTER (WHERE t.day > b.last_inside) AS left_on,
            min(t.day) FILTER (WHERE t.day > b.last_outside) AS came_on,
            max(t.unit_id) FILTER (WHERE t.day = b.last_outside) AS came_from
        FROM trail t JOIN bound b USING (person_id) GROUP BY t.person_id, b.last_inside, b.last_outside
    ), judged AS (
        SELECT p.person_id, p.unit_id, p.certainty, p.reason, p.since, coalesce(p.here, false) AS here, r.permanent,
            CASE WHEN coalesce(p.here, false) THEN
                CASE WHEN NOT coalesce(b.began_inside, coalesce(p.home, false)) AND p.person_id <> ALL (newborn) THEN 'arrived' END
            WHEN b.last_inside IS NOT NULL OR coalesce(p.home, false) OR s.person_id IS NOT NULL THEN 'left' END AS moved,
            CASE WHEN p.reason = 'passage' THEN p.since WHEN coalesce(p.here, false) THEN b.came_on
                 ELSE coalesce(b.left_on, s.day) END AS moved_on,
            CASE WHEN NOT coalesce(p.here, false) THEN CASE WHEN p.certainty <> 'unknown' THEN p.unit_id END
                 WHEN p.reason = 'passage' THEN p.register_unit ELSE b.came_from END AS other_unit
        FROM place p
        LEFT JOIN resident r USING (person_id) LEFT JOIN past b USING (person_id) LEFT JOIN seen s USING (person_id)
    ), listed AS (
        SELECT j.*, CASE
            WHEN here AND permanent THEN 'resident_present'
            WHEN here THEN 'temporary_present'
            WHEN j.certainty = 'unknown' AND (permanent IS NOT NULL OR j.unit_id <@ area) THEN 'not_found'
            WHEN permanent IS NOT NULL THEN 'resident_away'
            WHEN moved = 'left' THEN 'left' END AS list
        FROM judged j
    )
    SELECT l.person_id, l.list, CASE WHEN l.certainty <> 'unknown' THEN l.unit_id END, l.certainty, l.reason, l.since,
        l.moved, CASE WHEN l.moved IS NOT NULL THEN l.moved_on END, CASE WHEN l.moved IS NOT NULL THEN l.other_unit END
    FROM listed l WHERE l.list IS NOT NULL;
END $$;

-- Refuse an area beyond the caller's, then look everywhere: who left an area is the business of its authority too.
-- Returns the caller's own area, to be set back.
CREATE OR REPLACE FUNCTION zone_look_everywhere(area int4multirange, households bigint[], place_units integer[]) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    mine text := current_setting('khien.area', true);
BEGIN
    IF khien_purpose() IS NULL OR NOT area <@ khien_area()
        OR EXISTS (SELECT FROM unnest(place_units) AS asked (unit_id) WHERE NOT asked.unit_id <@ khien_area())
        OR EXISTS (SELECT FROM unnest(households) AS asked (id) LEFT JOIN household h ON h.household_id = asked.id
                   WHERE h.unit_id IS NULL OR NOT h.unit_id <@ khien_area())
    THEN
        RAISE insufficient_privilege USING MESSAGE = 'the area lies beyond that of the caller';
    END IF;
    PERFORM set_config('khien.area', '{(,)}', true);
    RETURN mine;
END $$;

-- zone_lists for an area within the caller's, wherever its people are now.
CREATE OR REPLACE FUNCTION zone_members(
    area int4multirange, households bigint[], place_units integer[], place_words text[],
    moment timestamptz, days integer, hours integer, touching int4multirange DEFAULT NULL
) RETURNS SETOF zone_member
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    mine text := zone_look_everywhere(area, households, place_units);
BEGIN
    RETURN QUERY SELECT * FROM zone_lists(area, households, place_units, place_words, moment, days, hours, touching);
    PERFORM set_config('khien.area', mine, true);
END $$;
GRANT EXECUTE ON FUNCTION
    zone_members(int4multirange, bigint[], integer[], text[], timestamptz, integer, integer, int4multirange)
    TO khien_app, khien_loader;

-- The same lists with what the teams need: name, birth, household, doses against a disease up to a day, needs.
-- As zone_members, only within the area of the caller.
CREATE OR REPLACE FUNCTION zone_people(
    area int4multirange, households bigint[], place_units integer[], place_words text[],
    moment timestamptz, days integer, hours integer, of_disease text
) RETURNS TABLE (person_id bigint, list text, unit_id integer, certainty text, reason text, since date,
                 moved text, moved_on date, other_unit integer,
                 name text, birth_date date, birth_precision text, sex text, home_unit integer,
                 household_id bigint, household_unit integer, address text,
                 doses integer, complete boolean, last_dose_on date, needs text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET work_mem = '64MB'
SET enable_nestloop = off SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    mine text := zone_look_everywhere(area, households, place_units);
    today date := (moment AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
    members zone_member[];
    ids bigint[];
BEGIN
    SELECT array_agg(l), array_agg(l.person_id) INTO members, ids
    FROM zone_lists(area, households, place_units, place_words, moment, days, hours) l;
    RETURN QUERY
    WITH listed AS (
        SELECT l.* FROM unnest(members) AS l
    ), nth AS (
        SELECT d.person_id, d.given_on, v.primary_doses,
            row_number() OVER (PARTITION BY d.person_id ORDER BY d.given_on, d.dose_id) AS nth
        FROM dose d JOIN vaccine_product v USING (product)
        WHERE d.person_id = ANY (ids) AND v.disease = of_disease AND d.status = 'completed'
          AND d.superseded_by IS NULL AND d.counts AND d.evidence <> 'declared' AND d.given_on <= today
    ), dosed AS (
        SELECT person_id, count(*)::integer AS doses, bool_or(nth >= primary_doses) AS complete, max(given_on) AS last
        FROM nth GROUP BY person_id
    ), need AS (
        SELECT n.person_id, array_agg(n.kind ORDER BY n.kind) AS needs FROM person_need n
        WHERE n.person_id = ANY (ids) AND n.valid @> today GROUP BY n.person_id
    ), home AS (
        SELECT DISTINCT ON (m.person_id) m.person_id, m.household_id FROM household_member m
        WHERE m.person_id = ANY (ids) AND m.valid @> today ORDER BY m.person_id, lower(m.valid) DESC NULLS LAST
    ), house AS MATERIALIZED (
        SELECT h.household_id, h.unit_id, h.address FROM household h
        WHERE h.household_id = ANY (ARRAY(SELECT DISTINCT household_id FROM home))
    )
    SELECT l.*, p.name, p.birth_date, p.birth_precision::text, p.sex, p.home_unit,
        h.household_id, h.unit_id, h.address, coalesce(d.doses, 0), coalesce(d.complete, false), d.last,
        coalesce(n.needs, '{}')
    FROM listed l
    JOIN (SELECT * FROM person WHERE person.person_id = ANY (ids)) p ON p.person_id = l.person_id
    LEFT JOIN home m ON m.person_id = l.person_id LEFT JOIN house h ON h.household_id = m.household_id
    LEFT JOIN dosed d ON d.person_id = l.person_id LEFT JOIN need n ON n.person_id = l.person_id;
    PERFORM set_config('khien.area', mine, true);
END $$;
GRANT EXECUTE ON FUNCTION zone_people(int4multirange, bigint[], integer[], text[], timestamptz, integer, integer, text)
    TO khien_app, khien_loader;

-- Figures for grades: of the living of each commune of residence on a day, how many are adults and of those how many had
-- a dose, how many are old and of those how many are fully vaccinated. Of the nation, whoever asks; nobody is identified.
CREATE OR REPLACE FUNCTION zone_coverage(on_day date, adults_born date, old_born date, of_disease text)
RETURNS TABLE (unit_id integer, people bigint, adults bigint, adults_dosed bigint, old bigint, old_complete bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET khien.area = '{(,)}' SET khien.purpose = 'statistics' SET work_mem = '128MB' SET enable_nestloop = off AS $$
    WITH counted AS (
        SELECT d.person_id, d.given_on, d.dose_id, v.primary_doses
        FROM dose d JOIN vaccine_product v USING (product)
        WHERE v.disease = of_disease AND d.status = 'completed' AND d.superseded_by IS NULL AND d.counts
          AND d.evidence <> 'declared' AND d.given_on <= on_day
    ), first_dose AS (
        SELECT DISTINCT person_id FROM counted
    ), complete AS (
        SELECT person_id FROM (
            SELECT c.person_id, c.primary_doses,
                row_number() OVER (PARTITION BY c.person_id ORDER BY c.given_on, c.dose_id) AS nth
            FROM counted c JOIN person p ON p.person_id = c.person_id AND p.birth_date <= old_born
        ) n GROUP BY person_id HAVING bool_or(nth >= primary_doses)
    )
    SELECT p.home_unit, count(*), count(*) FILTER (WHERE p.birth_date <= adults_born),
        count(f.person_id) FILTER (WHERE p.birth_date <= adults_born),
        count(*) FILTER (WHERE p.birth_date <= old_born), count(c.person_id) FILTER (WHERE p.birth_date <= old_born)
    FROM person p LEFT JOIN first_dose f USING (person_id) LEFT JOIN complete c USING (person_id)
    WHERE p.merged_into IS NULL AND p.birth_date <= on_day AND (p.died_on IS NULL OR p.died_on > on_day)
    GROUP BY p.home_unit
$$;
GRANT EXECUTE ON FUNCTION zone_coverage(date, date, date, text) TO khien_app, khien_loader;

-- What an officer at a checkpoint may know: somebody lives or is in the whole of a graded area (checkpoints asks).
CREATE OR REPLACE FUNCTION checkpoint_notice_zone(persons bigint[], homes integer[], presents integer[], at timestamptz)
    RETURNS TABLE (person_id bigint, notice text)
    LANGUAGE sql STABLE AS $$
    SELECT p.person_id, 'from_zone_' || max(o.grade)
    FROM unnest($1, $2, $3) AS p (person_id, home, present)
    JOIN zone_order o ON o.area @> p.present OR o.area @> p.home
    WHERE p.person_id IS NOT NULL AND o.valid @> ($4 AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
      AND o.state NOT IN ('proposed', 'withdrawn')
    GROUP BY p.person_id
$$;
GRANT SELECT ON zone_order TO khien_checker;
