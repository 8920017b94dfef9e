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
