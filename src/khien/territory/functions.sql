-- Run after every migration: each statement replaces what was there.

-- What a unit lies in, the nearest first, without the country: 'Quận 10, Thành phố Hồ Chí Minh'. Many communes of a
-- province share their name ('Phường 14'): a name alone sends people to the wrong one.
CREATE OR REPLACE FUNCTION unit_within(unit integer) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH RECURSIVE above AS (
        SELECT p.unit_id, p.parent_id, p.level, p.name FROM unit u JOIN unit p ON p.unit_id = u.parent_id
        WHERE u.unit_id = unit_within.unit
        UNION ALL
        SELECT p.unit_id, p.parent_id, p.level, p.name FROM above a JOIN unit p ON p.unit_id = a.parent_id
    )
    SELECT string_agg(a.name, ', ' ORDER BY a.level DESC) FROM above a WHERE a.level > 0
$$;

-- What a unit is called, with what it lies in next: many communes have the same name. Null for no unit.
CREATE OR REPLACE FUNCTION unit_called(unit integer) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT concat_ws(', ', u.name, p.name) FROM unit u LEFT JOIN unit p ON p.unit_id = u.parent_id AND p.level > 0
    WHERE u.unit_id = unit_called.unit
$$;

-- For each of some units that a day does not have: the smallest unit of that day that holds all that has its place. That
-- is its successor (or predecessor) where there is one; of a unit that was split the unit above its parts, so that
-- nobody is counted in a part where they may not live. What nothing is known of goes with the unit it lay in, in the end
-- with the country. No row on a day that no list covers.
CREATE OR REPLACE FUNCTION unit_carried(units integer[], day date)
RETURNS TABLE (unit_id integer, carried_to integer)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH RECURSIVE asked AS (
        SELECT u.unit_id, u.unit_id AS above, u.parent_id, 0 AS steps FROM unit u
        WHERE u.unit_id = ANY (units) AND NOT u.valid @> day
        UNION ALL
        SELECT a.unit_id, p.unit_id, p.parent_id, a.steps + 1 FROM asked a JOIN unit p ON p.unit_id = a.parent_id
    ), later AS (
        SELECT DISTINCT a.above AS origin, a.above AS reached FROM asked a
        UNION
        SELECT l.origin, s.to_id FROM later l JOIN unit_succession s ON s.from_id = l.reached AND s.on_date <= day
    ), earlier AS (
        SELECT DISTINCT a.above AS origin, a.above AS reached FROM asked a
        UNION
        SELECT e.origin, s.from_id FROM earlier e JOIN unit_succession s ON s.to_id = e.reached AND s.on_date > day
    ), span AS (  -- in pre-order the unit above some units holds the first and the last of them
        SELECT r.origin, u.system, min(u.unit_id) AS first, max(u.last_id) AS last
        FROM (SELECT * FROM later UNION SELECT * FROM earlier) r JOIN unit u ON u.unit_id = r.reached
        WHERE u.valid @> day GROUP BY r.origin, u.system
    ), held AS (
        SELECT s.origin, (SELECT max(h.unit_id) FROM unit h
                          WHERE h.system = s.system AND h.unit_id <= s.first AND h.last_id >= s.last AND h.valid @> day) AS unit
        FROM span s
    ), country AS (
        SELECT c.unit_id FROM unit c WHERE c.level = 0 AND c.valid @> day ORDER BY lower(c.valid) DESC NULLS LAST LIMIT 1
    )
    SELECT DISTINCT ON (a.unit_id) a.unit_id, coalesce(h.unit, c.unit_id)
    FROM asked a CROSS JOIN country c LEFT JOIN held h ON h.origin = a.above
    ORDER BY a.unit_id, h.unit IS NULL, a.steps
$$;
