-- Months of visits that are being loaded: filled without keys by the loader, who does not own them, then taken into the
-- register. Run after every migration.

-- Room for a new load. What an earlier one left is dropped.
CREATE OR REPLACE FUNCTION visit_load_begin() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET client_min_messages = warning AS $$
DECLARE
    part text;
BEGIN
    DROP TABLE IF EXISTS loading.visit;  -- of an earlier form of these functions
    FOR part IN SELECT to_char(month, '"visit_"YYYY_MM') FROM visit_load_waiting() AS month LOOP
        EXECUTE format('DROP TABLE loading.%I', part);
    END LOOP;
END $$;

-- Room for a month, in UTC as those of the register. Which days it holds is checked at every row: nobody needs to read
-- them all again when it is taken in. A key of few visits is there at once, as to build it later would read them all too;
-- that of seats only where there are none (`seats` false).
DROP FUNCTION IF EXISTS visit_load_months(date, date), visit_load_month(date);
CREATE OR REPLACE FUNCTION visit_load_month(month date, seats boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    part text := to_char(month, '"visit_"YYYY_MM');
    number integer;
BEGIN
    IF to_regclass('loading.' || part) IS NULL THEN
        EXECUTE format('CREATE TABLE loading.%I (LIKE public.visit INCLUDING DEFAULTS INCLUDING CONSTRAINTS,'
            ' CONSTRAINT month CHECK (came_at >= %L AND came_at < %L))', part, month, (month + interval '1 month')::date);
        FOR number IN SELECT i.indexrelid FROM pg_index i
                      WHERE i.indrelid = 'visit'::regclass AND i.indpred IS NOT NULL
                        AND NOT (seats AND pg_get_indexdef(i.indexrelid) ~ '\mseat\M') LOOP
            PERFORM visit_load_key(month, number);
        END LOOP;
        EXECUTE format('GRANT INSERT ON loading.%I TO khien_loader', part);
    END IF;
END $$;

-- Months that wait to be taken in.
CREATE OR REPLACE FUNCTION visit_load_waiting() RETURNS SETOF date
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT to_date(right(c.relname, 7), 'YYYY_MM') FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('loading') AND c.relname ~ '^visit_\d{4}_\d{2}$' AND c.relkind = 'r' ORDER BY 1
$$;

-- The keys that a loaded month needs before it is taken in: numbers for visit_load_key, the longest work first. None where
-- the register has visits of that month already.
CREATE OR REPLACE FUNCTION visit_load_keys(month date) RETURNS SETOF integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC'
    SET khien.area = '{(,)}' AS $$
    SELECT i.indexrelid::integer FROM pg_index i
    WHERE i.indrelid = 'visit'::regclass
      AND NOT EXISTS (SELECT FROM visit v WHERE v.came_at >= month AND v.came_at < month + interval '1 month')
    ORDER BY i.indpred IS NOT NULL, i.indexrelid
$$;

-- Build one of those keys, as the parent has it, in a transaction of its own: two are built at once, one a core. Returns
-- how many visits were gone because they were there twice. The same again changes nothing. Sorted in little memory, which
-- is as much for any file: short runs that are merged take less processor time than long ones.
CREATE OR REPLACE FUNCTION visit_load_key(month date, number integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET client_min_messages = warning
    SET maintenance_work_mem = '64MB' AS $$
DECLARE
    loaded regclass := ('loading.' || to_char(month, '"visit_"YYYY_MM'))::regclass;
    name text := to_char(month, '"visit_"YYYY_MM_') || number;
    build text := regexp_replace(pg_get_indexdef(number::oid), '^CREATE (UNIQUE )?INDEX \S+ ON (ONLY )?\S+',
                                 format('CREATE \1INDEX %I ON %s', name, loaded));
    gone bigint := 0;
BEGIN
    IF to_regclass('loading.' || name) IS NOT NULL THEN
        RETURN 0;
    END IF;
    PERFORM set_config('max_parallel_maintenance_workers', greatest(
        current_setting('max_parallel_maintenance_workers')::integer - 1, 0)::text, true);
    BEGIN
        EXECUTE build;
    EXCEPTION WHEN unique_violation THEN  -- of the same key, the one that says most
        EXECUTE format('DELETE FROM %1$s d USING (SELECT ctid, row_number() OVER (PARTITION BY person_id, came_at,'
            ' place_id ORDER BY left_at, source, seat) AS n FROM %1$s) x WHERE x.ctid = d.ctid AND x.n > 1', loaded);
        GET DIAGNOSTICS gone = ROW_COUNT;
        EXECUTE build;
    END;
    RETURN gone;
END $$;

-- Take a loaded month into the register. A month that is empty there is replaced. Otherwise its visits are added in the
-- order of the key. Returns how many were there already.
CREATE OR REPLACE FUNCTION visit_load_take(month date) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC'
    SET khien.area = '{(,)}' SET client_min_messages = warning AS $$
DECLARE
    part text := to_char(month, '"visit_"YYYY_MM');
    loaded regclass := ('loading.' || part)::regclass;
    there regclass := to_regclass('public.' || part);
    until date := (month + interval '1 month')::date;
    key text := (SELECT format('%s_%s', part, i.indexrelid::integer) FROM pg_index i
                 WHERE i.indrelid = 'visit'::regclass AND i.indisprimary);
    taken boolean;
    many bigint;
BEGIN
    taken := to_regclass('loading.' || key) IS NULL
        OR EXISTS (SELECT FROM visit v WHERE v.came_at >= month AND v.came_at < until);
    IF NOT taken THEN
        LOCK TABLE visit IN SHARE ROW EXCLUSIVE MODE;  -- nobody writes meanwhile; who reads goes on
        SELECT EXISTS (SELECT FROM visit v WHERE v.came_at >= month AND v.came_at < until) INTO taken;
    END IF;
    IF NOT taken THEN
        EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY USING INDEX %I', loaded, key);
        PERFORM khien_close_partition(loaded);
    END IF;
    IF taken THEN
        PERFORM khien_months('visit', month, until);
        EXECUTE format('INSERT INTO visit SELECT * FROM %s ORDER BY person_id, came_at, place_id ON CONFLICT DO NOTHING', loaded);
        GET DIAGNOSTICS many = ROW_COUNT;
        EXECUTE format('SELECT count(*) - $1 FROM %s', loaded) INTO many USING many;
        EXECUTE format('DROP TABLE %s', loaded);
        RETURN many;
    END IF;
    IF there IS NOT NULL THEN
        EXECUTE format('DROP TABLE %s', there);
    END IF;
    EXECUTE format('ALTER TABLE %s SET SCHEMA public', loaded);
    EXECUTE format('ALTER TABLE visit ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', loaded, month, until);
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT month', loaded);
    RETURN 0;
END $$;

GRANT EXECUTE ON FUNCTION visit_load_begin(), visit_load_month(date, boolean), visit_load_waiting(), visit_load_keys(date),
    visit_load_key(date, integer), visit_load_take(date) TO khien_loader;
