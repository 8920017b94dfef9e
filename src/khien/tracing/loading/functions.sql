-- Months of visits that are being loaded: filled without keys by the loader, who does not own them, then taken into the
-- register. Run after every migration.

-- Empty tables for a new load. What an earlier one left is dropped.
CREATE OR REPLACE FUNCTION visit_load_begin() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET client_min_messages = warning AS $$
BEGIN
    DROP TABLE IF EXISTS loading.visit;
    CREATE TABLE loading.visit (LIKE public.visit INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (came_at);
    GRANT SELECT, INSERT ON loading.visit TO khien_loader;
END $$;

-- Room for the months between two days. Months in UTC, as those of the register.
CREATE OR REPLACE FUNCTION visit_load_months(first date, last date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    month date := date_trunc('month', first)::date;
    part text;
BEGIN
    WHILE month <= last LOOP
        part := 'visit_' || to_char(month, 'YYYY_MM');
        IF to_regclass('loading.' || part) IS NULL THEN
            EXECUTE format('CREATE TABLE loading.%I (LIKE public.visit INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
            EXECUTE format('ALTER TABLE loading.visit ATTACH PARTITION loading.%I FOR VALUES FROM (%L) TO (%L)',
                           part, month, (month + interval '1 month')::date);
        END IF;
        month := (month + interval '1 month')::date;
    END LOOP;
END $$;

-- Months that wait to be taken in.
CREATE OR REPLACE FUNCTION visit_load_waiting() RETURNS SETOF date
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT to_date(right(c.relname, 7), 'YYYY_MM') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass('loading.visit') ORDER BY 1
$$;

-- Take a loaded month into the register. A month that is empty there is replaced: keys and indexes, as the parent has
-- them, are built once, sorted. Otherwise its visits are added in the order of the key. Returns how many were not new:
-- twice in the file, or there already.
CREATE OR REPLACE FUNCTION visit_load_take(month date) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC'
    SET khien.area = '{(,)}' SET client_min_messages = warning AS $$
DECLARE
    part text := 'visit_' || to_char(month, 'YYYY_MM');
    loaded regclass := ('loading.' || part)::regclass;
    there regclass := to_regclass('public.' || part);
    until date := (month + interval '1 month')::date;
    taken boolean;
    build text;
    gone bigint := 0;
    many bigint;
BEGIN
    PERFORM set_config('maintenance_work_mem', greatest(
        pg_size_bytes(current_setting('maintenance_work_mem')), pg_size_bytes('512MB'))::text || 'B', true);
    EXECUTE format('ALTER TABLE loading.visit DETACH PARTITION %s', loaded);
    SELECT EXISTS (SELECT FROM visit v WHERE v.came_at >= month AND v.came_at < until) INTO taken;
    IF NOT taken THEN
        FOR build IN
            SELECT CASE WHEN c.oid IS NOT NULL THEN format('ALTER TABLE %s ADD %s', loaded, pg_get_constraintdef(c.oid))
                ELSE regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE (UNIQUE )?INDEX \S+ ON (ONLY )?\S+',
                                    format('CREATE \1INDEX ON %s', loaded)) END
            FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid
            WHERE i.indrelid = 'visit'::regclass ORDER BY c.oid IS NULL, i.indexrelid
        LOOP
            BEGIN
                EXECUTE build;
            EXCEPTION WHEN unique_violation THEN  -- of the same key, the one that says most
                EXECUTE format('DELETE FROM %1$s d USING (SELECT ctid, row_number() OVER (PARTITION BY person_id, came_at,'
                    ' place_id ORDER BY left_at, source, seat) AS n FROM %1$s) x WHERE x.ctid = d.ctid AND x.n > 1', loaded);
                GET DIAGNOSTICS gone = ROW_COUNT;
                EXECUTE build;
            END;
        END LOOP;
        PERFORM khien_close_partition(loaded);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT month CHECK (came_at >= %L AND came_at < %L)', loaded, month, until);
        LOCK TABLE visit IN SHARE ROW EXCLUSIVE MODE;  -- nobody writes meanwhile; who reads goes on
        SELECT EXISTS (SELECT FROM visit v WHERE v.came_at >= month AND v.came_at < until) INTO taken;
    END IF;
    IF taken THEN
        PERFORM khien_months('visit', month, until);
        EXECUTE format('INSERT INTO visit SELECT * FROM %s ORDER BY person_id, came_at, place_id ON CONFLICT DO NOTHING', loaded);
        GET DIAGNOSTICS many = ROW_COUNT;
        EXECUTE format('SELECT count(*) - $1 FROM %s', loaded) INTO many USING many;
        EXECUTE format('DROP TABLE %s', loaded);
        RETURN gone + many;
    END IF;
    IF there IS NOT NULL THEN
        EXECUTE format('DROP TABLE %s', there);
    END IF;
    EXECUTE format('ALTER TABLE %s SET SCHEMA public', loaded);
    EXECUTE format('ALTER TABLE visit ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', loaded, month, until);
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT month', loaded);
    RETURN gone;
END $$;

GRANT EXECUTE ON FUNCTION visit_load_begin(), visit_load_months(date, date), visit_load_waiting(), visit_load_take(date)
    TO khien_loader;
