-- Functions of the access log, of the scope of the current actor, and of opening one person by a card.
-- Run after every migration: each statement replaces what was there.

-- Scope --------------------------------------------------------------------------------------------------------------
-- The settings khien.account, .agency, .purpose and .area are set by core.session alone. Missing or empty means nobody.

CREATE OR REPLACE FUNCTION khien_account() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('khien.account', true), '')::bigint;

CREATE OR REPLACE FUNCTION khien_agency() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('khien.agency', true), '')::bigint;

CREATE OR REPLACE FUNCTION khien_purpose() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('khien.purpose', true), '');

-- Unit ids the actor may see; empty without a purpose, because nothing is read without one.
CREATE OR REPLACE FUNCTION khien_area() RETURNS int4multirange
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN khien_purpose() IS NULL THEN '{}'::int4multirange
                ELSE coalesce(nullif(current_setting('khien.area', true), ''), '{}')::int4multirange END;

-- Whether the area is everything: policies ask this first, so that the national scope costs nothing a row.
CREATE OR REPLACE FUNCTION khien_nation() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN khien_area() = '{(,)}'::int4multirange;

-- Whether the actor manages an account: all its posts that have not ended lie inside the actor's area, and at least one
-- that it ever had. Who serves nowhere yet is left to the nation.
CREATE OR REPLACE FUNCTION access_manages(account bigint, today date) RETURNS boolean
    LANGUAGE sql STABLE AS $$
    SELECT khien_nation() OR EXISTS (
        SELECT FROM (
            SELECT coalesce(a.valid_until, 'infinity') >= today AS open,
                coalesce(int4range(u.unit_id, u.last_id, '[]') <@ khien_area(), false) AS inside
            FROM assignment a LEFT JOIN unit u ON u.unit_id = a.unit_id
            WHERE a.account_id = account
        ) post HAVING bool_or(inside) AND bool_and(inside OR NOT open))
$$;

-- Monthly partitions -------------------------------------------------------------------------------------------------

-- A partition is reached through its parent, whose policy then holds. By itself it is closed to all but the owner, who
-- moves rows between partitions.
CREATE OR REPLACE FUNCTION khien_close_partition(part regclass) RETURNS void
    LANGUAGE plpgsql SET client_min_messages = warning AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);
    EXECUTE format('DROP POLICY IF EXISTS khien_keeper ON %s', part);
    EXECUTE format('CREATE POLICY khien_keeper ON %s TO khien_owner USING (true) WITH CHECK (true)', part);
END $$;

-- Make monthly partitions of `parent` (ranged by a timestamptz, months in UTC) from one month until before another.
-- Rows that a default partition caught meanwhile are moved. Partitions are closed to everybody: the way is the parent.
CREATE OR REPLACE FUNCTION khien_months(parent regclass, from_month date, before_month date) RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    month date := date_trunc('month', from_month)::date;
    part text;
    spare regclass;
    key text;
    made integer := 0;
BEGIN
    SELECT nullif(partdefid, 0::oid)::regclass, quote_ident(a.attname) INTO spare, key
    FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
    WHERE p.partrelid = parent;
    WHILE month < before_month LOOP
        part := format('%s_%s', (SELECT relname FROM pg_class WHERE oid = parent), to_char(month, 'YYYY_MM'));
        IF to_regclass('public.' || quote_ident(part)) IS NULL THEN
            EXECUTE format('CREATE TABLE public.%I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, parent);
            IF spare IS NOT NULL THEN
                EXECUTE format('WITH moved AS (DELETE FROM %s WHERE %s >= %L AND %s < %L RETURNING *)'
                               ' INSERT INTO public.%I SELECT * FROM moved',
                               spare, key, month, key, (month + interval '1 month')::date, part);
            END IF;
            PERFORM khien_close_partition(part::regclass);
            EXECUTE format('ALTER TABLE %s ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                           parent, part, month, (month + interval '1 month')::date);
            made := made + 1;
        END IF;
        month := (month + interval '1 month')::date;
    END LOOP;
    RETURN made;
END $$;

-- Months of the access log, from the month of the oldest stray row until two years ahead.
CREATE OR REPLACE FUNCTION access_months_ready() RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    RETURN khien_months('access_log',
        least(current_date, (SELECT min(at) FROM ONLY access_log_default)::date),
        (date_trunc('month', now()) + interval '25 months')::date);
END $$;
SELECT access_months_ready();

-- Access log ---------------------------------------------------------------------------------------------------------

-- The canonical text of one entry. jsonb text is unambiguous and the same in every session, whatever its settings.
-- Stable, as jsonb_build_array is: only then does the planner write the body in place of the call.
CREATE OR REPLACE FUNCTION access_canonical(
    n integer, account_id bigint, agency_id bigint, purpose text, action text, person_id bigint, detail jsonb
) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN jsonb_build_array(n, account_id, agency_id, purpose, action, person_id, detail)::text;

-- sha256 over the head of a call (lane, seq, microseconds since 1970, number of entries) and its entries, one a line.
-- Stable, as concat_ws is: as above.
CREATE OR REPLACE FUNCTION access_content(lane integer, seq bigint, at timestamptz, entries bigint, body text)
    RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256(convert_to(
        concat_ws(' ', lane, seq, (extract(epoch FROM at) * 1000000)::bigint, entries) || E'\n' || body, 'UTF8'));

-- A free lane of the log for this transaction, locked until it ends. A transaction stays on its lane, so that it never
-- holds two.
CREATE OR REPLACE FUNCTION access_take_lane() RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    v_lane integer := coalesce(nullif(current_setting('khien.lane', true), ''), floor(random() * 64)::text)::integer;
    v_first integer := v_lane;
BEGIN
    WHILE NOT pg_try_advisory_xact_lock(6416, v_lane) LOOP
        v_lane := (v_lane + 1) % 64;
        IF v_lane = v_first THEN
            PERFORM pg_advisory_xact_lock(6416, v_lane);
            EXIT;
        END IF;
    END LOOP;
    RETURN set_config('khien.lane', v_lane::text, true)::integer;
END $$;

-- Append one link and its entries. Who and why come from the session's scope; only the owner's functions call this.
CREATE OR REPLACE FUNCTION access_append(action text, persons bigint[], detail jsonb) RETURNS void
    LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    v_account bigint := khien_account();
    v_agency bigint := khien_agency();
    v_purpose text := khien_purpose();
    v_lane integer;
    v_seq bigint;
    v_before bytea;
    v_at timestamptz;
    v_entries integer := greatest(cardinality(persons), 1);
    v_body text;
    v_content bytea;
BEGIN
    IF v_purpose IS NULL THEN
        RAISE insufficient_privilege USING MESSAGE = 'nobody acts: khien.purpose is not set';
    END IF;
    v_lane := access_take_lane();
    -- Read after the lock: a new statement sees what the lane's last holder committed.
    SELECT l.seq, l.digest INTO v_seq, v_before FROM access_link l WHERE l.lane = v_lane ORDER BY l.seq DESC LIMIT 1;
    v_seq := coalesce(v_seq, 0) + 1;
    v_at := clock_timestamp();
    IF v_entries = 1 THEN
        v_body := access_canonical(1, v_account, v_agency, v_purpose, action, persons[1], detail);
        INSERT INTO access_log (at, lane, seq, n, account_id, agency_id, purpose, action, person_id, detail)
        VALUES (v_at, v_lane, v_seq, 1, v_account, v_agency, v_purpose, action, persons[1], detail);
    ELSE
        SELECT string_agg(
            access_canonical(p.n::integer, v_account, v_agency, v_purpose, action, p.person_id, detail), E'\n' ORDER BY p.n)
        INTO v_body FROM unnest(persons) WITH ORDINALITY AS p (person_id, n);
        INSERT INTO access_log (at, lane, seq, n, account_id, agency_id, purpose, action, person_id, detail)
        SELECT v_at, v_lane, v_seq, p.n, v_account, v_agency, v_purpose, action, p.person_id, detail
        FROM unnest(persons) WITH ORDINALITY AS p (person_id, n);
    END IF;
    v_content := access_content(v_lane, v_seq, v_at, v_entries, v_body);
    INSERT INTO access_link (lane, seq, at, entries, content, digest)
    VALUES (v_lane, v_seq, v_at, v_entries, v_content, sha256(coalesce(v_before, '') || v_content));
END $$;

-- The same for a batch whose entries differ in agency and detail, as many services' work done in one go: one link, entry
-- n about persons[n] (null: about nobody), for agencies[n] (null: the session's).
-- One statement writes both tables: starting a plan costs as much as some entries. The text of an entry is put together
-- from its parts, which costs a third of access_canonical and must give the same: access_verify would tell.
CREATE OR REPLACE FUNCTION access_append_each(action text, persons bigint[], agencies bigint[], details jsonb[])
    RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    v_account bigint := khien_account();
    v_agency bigint := khien_agency();
    v_purpose text := khien_purpose();
    v_lane integer;
    v_at timestamptz;
    v_doing text := concat(', ', to_json(v_purpose), ', ', to_json(action), ', ');
BEGIN
    IF v_purpose IS NULL THEN
        RAISE insufficient_privilege USING MESSAGE = 'nobody acts: khien.purpose is not set';
    END IF;
    v_lane := access_take_lane();
    v_at := clock_timestamp();
    WITH entry AS MATERIALIZED (
        SELECT e.n::integer AS n, e.person, coalesce(e.agency, v_agency) AS agency, e.detail
        FROM unnest(persons, agencies, details) WITH ORDINALITY AS e (person, agency, detail, n)
    ), link AS MATERIALIZED (  -- the lane's next, after what its last holder committed
        SELECT coalesce(before.seq, 0) + 1 AS seq, before.digest, access_content(
            v_lane, coalesce(before.seq, 0) + 1, v_at, cardinality(details),
            (SELECT string_agg('[' || e.n || ', ' || coalesce(v_account::text, 'null') || ', '
                               || coalesce(e.agency::text, 'null') || v_doing || coalesce(e.person::text, 'null') || ', '
                               || e.detail::text || ']', E'\n' ORDER BY e.n) FROM entry e)) AS content
        FROM (SELECT) one
        LEFT JOIN (SELECT l.seq, l.digest FROM access_link l WHERE l.lane = v_lane ORDER BY l.seq DESC LIMIT 1) before
            ON true
    ), logged AS (
        INSERT INTO access_log (at, lane, seq, n, account_id, agency_id, purpose, action, person_id, detail)
        SELECT v_at, v_lane, link.seq, e.n, v_account, e.agency, v_purpose, action, e.person, e.detail FROM entry e, link
    )
    INSERT INTO access_link (lane, seq, at, entries, content, digest)
    SELECT v_lane, link.seq, v_at, cardinality(details), link.content, sha256(coalesce(link.digest, '') || link.content)
    FROM link;
END $$;

-- What everybody calls: Session.log.
CREATE OR REPLACE FUNCTION log_append(action text, persons bigint[], detail jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF action = 'access.retain' THEN
        RAISE insufficient_privilege USING MESSAGE = 'access.retain is written by access_retain alone';
    END IF;
    PERFORM access_append(action, persons, detail);
END $$;

-- Everything before this instant was dropped on purpose; the chain itself holds the proof.
CREATE OR REPLACE FUNCTION access_kept_from() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    RETURN (SELECT coalesce(max((detail ->> 'before')::timestamptz), '-infinity') FROM access_log
            WHERE action = 'access.retain');

-- Drop the months that end at or before `before`; their links stay, with the digests of what was dropped.
CREATE OR REPLACE FUNCTION access_retain(before date) RETURNS TABLE (partition text, entries bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
    v_before timestamptz := date_trunc('month', $1::timestamptz);
    part record;
    total bigint := 0;
    names text[] := '{}';
BEGIN
    IF v_before > date_trunc('month', now()) THEN
        RAISE invalid_parameter_value USING MESSAGE = 'the current month cannot be dropped';
    END IF;
    CREATE TEMP TABLE access_dropped (partition text, entries bigint) ON COMMIT DROP;
    FOR part IN
        SELECT c.oid::regclass AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'access_log'::regclass AND c.relname ~ '^access_log_\d{4}_\d{2}$'
          AND to_date(right(c.relname, 7), 'YYYY_MM') < v_before::date ORDER BY c.relname
    LOOP
        EXECUTE format('INSERT INTO access_dropped SELECT %L, count(*) FROM %s', part.name::text, part.name);
        EXECUTE format('ALTER TABLE access_log DETACH PARTITION %s', part.name);
        EXECUTE format('DROP TABLE %s', part.name);
    END LOOP;
    SELECT coalesce(sum(d.entries), 0), coalesce(array_agg(d.partition), '{}') INTO total, names FROM access_dropped d;
    IF cardinality(names) > 0 THEN
        PERFORM access_append('access.retain', '{}',
            jsonb_build_object('before', v_before, 'entries', total, 'partitions', to_jsonb(names)));
    END IF;
    RETURN QUERY SELECT * FROM access_dropped;
END $$;

-- Last link of every lane. Kept elsewhere, it later proves that nothing was cut off the end.
CREATE OR REPLACE FUNCTION access_heads() RETURNS TABLE (lane integer, seq bigint, at timestamptz, digest text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT g.lane, h.seq, h.at, encode(h.digest, 'hex')
    FROM generate_series(0, 63) g (lane)
    CROSS JOIN LATERAL (SELECT * FROM access_link l WHERE l.lane = g.lane ORDER BY l.seq DESC LIMIT 1) h
    ORDER BY g.lane
$$;

-- Digest of one link, null where there is none.
CREATE OR REPLACE FUNCTION access_digest(in_lane integer, in_seq bigint) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    RETURN (SELECT digest FROM access_link WHERE lane = in_lane AND seq = in_seq);

-- Walk every lane and compare. No rows: the log is whole (up to a cut tail, which only an anchor shows).
--   'link removed'     a number is missing in the lane        'link changed'   digest does not follow from the one before
--   'entries changed'  what stands there is not what was hashed    'entries removed' / 'entry added'   too few / no link
--   'stray month'      an entry lies in the default partition
CREATE OR REPLACE FUNCTION access_verify() RETURNS TABLE (lane integer, seq bigint, at timestamptz, what text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET work_mem = '64MB' AS $$
    WITH link AS (
        SELECT l.*, lag(l.digest) OVER w AS before, coalesce(lag(l.seq) OVER w, 0) AS last_seq
        FROM access_link l WINDOW w AS (PARTITION BY l.lane ORDER BY l.seq)
    ), entry AS (
        SELECT e.lane, e.seq, e.at, count(*) AS entries,
            string_agg(access_canonical(e.n, e.account_id, e.agency_id, e.purpose, e.action, e.person_id, e.detail),
                       E'\n' ORDER BY e.n) AS body
        FROM access_log e GROUP BY e.lane, e.seq, e.at
    )
    SELECT lane, seq, at, 'link removed' FROM link WHERE seq <> last_seq + 1
    UNION ALL
    SELECT lane, seq, at, 'link changed' FROM link
    WHERE seq = last_seq + 1 AND digest <> sha256(coalesce(before, '') || content)
    UNION ALL
    SELECT coalesce(l.lane, e.lane), coalesce(l.seq, e.seq), coalesce(l.at, e.at),
        CASE WHEN l.lane IS NULL THEN 'entry added' WHEN e.lane IS NULL THEN 'entries removed' ELSE 'entries changed' END
    FROM link l FULL JOIN entry e ON e.lane = l.lane AND e.seq = l.seq AND e.at = l.at
    WHERE l.lane IS NULL
       OR (e.lane IS NULL AND l.at >= access_kept_from())
       OR (e.lane IS NOT NULL
           AND (e.entries <> l.entries
                OR l.content <> access_content(e.lane, e.seq, e.at, e.entries, e.body)))
    UNION ALL
    SELECT e.lane, e.seq, e.at, 'stray month' FROM access_log e WHERE e.tableoid = 'access_log_default'::regclass
    ORDER BY 1, 2, 4
$$;

-- Opening one person -------------------------------------------------------------------------------------------------

-- Whoever holds a card may open its owner, wherever that person lives: the exact number and everything else that is
-- given (name, birth date; at least one) must match. Opens for `hours`, at most a day, and logs it. Null: no match, or
-- `misses` cards of this account opened nobody within ten minutes.
CREATE OR REPLACE FUNCTION access_open_by_card(number text, named text, born date, hours integer, misses integer)
    RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    -- The owner is under the policies too: this one question is asked of everybody.
    SET khien.area = '{(,)}' AS $$
DECLARE
    v_person bigint;
BEGIN
    IF khien_account() IS NULL OR khien_purpose() IS NULL THEN
        RAISE insufficient_privilege USING MESSAGE = 'only an account with a purpose opens a person';
    END IF;
    SELECT p.person_id INTO v_person FROM identifier i JOIN person p USING (person_id)
    WHERE i.value = number AND i.kind <> 'provisional' AND (named IS NOT NULL OR born IS NOT NULL)
      AND (named IS NULL OR khien_fold(p.name) = khien_fold(named))
      AND (born IS NULL OR p.birth_date = CASE p.birth_precision
              WHEN 'd' THEN born WHEN 'm' THEN date_trunc('month', born)::date ELSE date_trunc('year', born)::date END)
      AND misses > (SELECT count(*) FROM access_log l WHERE l.account_id = khien_account()
                    AND l.at > now() - interval '10 minutes' AND l.action = 'person.open_refused')
    LIMIT 1;
    IF v_person IS NULL THEN
        PERFORM access_append('person.open_refused', '{}', '{}');
        RETURN NULL;
    END IF;
    INSERT INTO access_grant (person_id, account_id, purpose, until)
    VALUES (v_person, khien_account(), khien_purpose(), now() + make_interval(hours => least(hours, 24)))
    ON CONFLICT (person_id, account_id, purpose) DO UPDATE SET until = greatest(access_grant.until, excluded.until);
    PERFORM access_append('person.open', ARRAY[v_person], jsonb_build_object('hours', least(hours, 24)));
    RETURN v_person;
END $$;

-- Open a citizen's own record to their account, without end. Only for a person whom the actor sees.
CREATE OR REPLACE FUNCTION access_open_own(person bigint, account bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO access_grant (person_id, account_id, purpose, until)
    SELECT p.person_id, account, 'own-record', 'infinity' FROM person p WHERE p.person_id = person
    ON CONFLICT (person_id, account_id, purpose) DO UPDATE SET until = 'infinity';
    RETURN FOUND;
END $$;

-- Unit ids of an assignment: the unit's subtree, and older units that went wholly into it. Null unit: the nation.
CREATE OR REPLACE FUNCTION access_area(unit integer) RETURNS int4multirange
    LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN unit IS NULL OR u.level = 0 THEN '{(,)}'::int4multirange ELSE (
        SELECT range_agg(int4range(part.unit_id, part.last_id, '[]')) FROM (
            SELECT u.unit_id, u.last_id
            UNION ALL
            SELECT old.unit_id, old.last_id
            FROM unit_succession s JOIN unit old ON old.unit_id = s.from_id
            WHERE s.to_id BETWEEN u.unit_id AND u.last_id AND NOT EXISTS (
                SELECT FROM unit_succession other
                WHERE other.from_id = s.from_id AND other.to_id NOT BETWEEN u.unit_id AND u.last_id)
        ) part) END
    FROM (SELECT 1) one LEFT JOIN unit u ON u.unit_id = unit
    WHERE unit IS NULL OR u.unit_id IS NOT NULL
$$;

GRANT EXECUTE ON FUNCTION log_append(text, bigint[], jsonb), access_open_by_card(text, text, date, integer, integer),
    access_open_own(bigint, bigint), access_heads(), access_digest(integer, bigint), access_verify(), access_kept_from() TO khien_app, khien_loader;
