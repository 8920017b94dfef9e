-- Row-level security and rights, derived from the catalogue so that no table can be forgotten. Run after every
-- migration, last. DESIGN §4.3: every table about a person is forced; who asks comes from the session's scope.
--
-- How it stays fast: the area, the purpose and the account are asked once a query (scalar subqueries become InitPlans),
-- the national scope first. Conditions of a query still become index conditions where their operators are leakproof:
-- equality, comparison of integers, dates and text (<, >=, ~<~, ~>=~, ^@) are; LIKE, ranges (@>, &&) and % are not.

SET LOCAL client_min_messages = warning;

-- person: home or present commune in the area, or opened by a grant that has not expired.
ALTER TABLE person ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS khien_scope ON person;
CREATE POLICY khien_scope ON person USING (
    (SELECT khien_nation())
    OR home_unit <@ (SELECT khien_area())
    OR present_unit <@ (SELECT khien_area())
    OR person_id = ANY ((
        SELECT array_agg(g.person_id) FROM access_grant g
        WHERE g.account_id = khien_account() AND g.purpose = khien_purpose() AND g.until > now())::bigint[])
);

-- household: its commune in the area, or one of its members visible.
ALTER TABLE household ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS khien_scope ON household;
CREATE POLICY khien_scope ON household USING (
    (SELECT khien_nation())
    OR unit_id <@ (SELECT khien_area())
    OR EXISTS (SELECT FROM household_member m WHERE m.household_id = household.household_id)
);

-- access_log: entries about visible people and the account's own doings; written through log_append alone.
ALTER TABLE access_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS khien_scope ON access_log;
CREATE POLICY khien_scope ON access_log FOR SELECT USING (
    (SELECT khien_nation())
    OR account_id = (SELECT khien_account())
    OR EXISTS (SELECT FROM person p WHERE p.person_id = access_log.person_id)
);
DROP POLICY IF EXISTS khien_keeper ON access_log;
CREATE POLICY khien_keeper ON access_log TO khien_owner USING (true) WITH CHECK (true);

-- access_grant: one's own; written through access_open_by_card alone.
ALTER TABLE access_grant ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS khien_scope ON access_grant;
CREATE POLICY khien_scope ON access_grant FOR SELECT USING (account_id = (SELECT khien_account()));
DROP POLICY IF EXISTS khien_keeper ON access_grant;
CREATE POLICY khien_keeper ON access_grant TO khien_owner USING (true) WITH CHECK (true);

-- agency: everybody reads its name; it is written within its area alone, both before and after.
ALTER TABLE agency ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS khien_names ON agency;
CREATE POLICY khien_names ON agency FOR SELECT USING (true);
DROP POLICY IF EXISTS khien_scope ON agency;
CREATE POLICY khien_scope ON agency FOR UPDATE USING (
    (SELECT khien_nation())
    OR EXISTS (SELECT FROM unit u WHERE u.unit_id = agency.unit_id
               AND int4range(u.unit_id, u.last_id, '[]') <@ (SELECT khien_area()))
);
DROP POLICY IF EXISTS khien_made ON agency;
CREATE POLICY khien_made ON agency FOR INSERT WITH CHECK (
    (SELECT khien_nation())
    OR EXISTS (SELECT FROM unit u WHERE u.unit_id = agency.unit_id
               AND int4range(u.unit_id, u.last_id, '[]') <@ (SELECT khien_area()))
);

-- api_key: seen and written within the area of the post it acts in alone. Whoever comes with one is looked up by the
-- machine itself.
ALTER TABLE api_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS khien_scope ON api_key;
CREATE POLICY khien_scope ON api_key USING (
    (SELECT khien_nation())
    OR EXISTS (SELECT FROM assignment a JOIN unit u ON u.unit_id = a.unit_id WHERE a.id = api_key.assignment_id
               AND int4range(u.unit_id, u.last_id, '[]') <@ (SELECT khien_area()))
);

-- Everything else that has a person_id follows the person: the subquery is under the policy of person.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT c.oid::regclass AS name, c.relispartition FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'person_id' AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND c.relname NOT IN ('person', 'access_log', 'access_grant')
    LOOP
        IF found.relispartition THEN
            PERFORM khien_close_partition(found.name);
        ELSE
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', found.name);
            EXECUTE format('DROP POLICY IF EXISTS khien_scope ON %s', found.name);
            EXECUTE format(
                'CREATE POLICY khien_scope ON %1$s USING ((SELECT khien_nation())'
                ' OR EXISTS (SELECT FROM person p WHERE p.person_id = %1$s.person_id))', found.name);
        END IF;
    END LOOP;
END $$;

-- Rights. khien_app: reads, inserts and updates; deletes nothing about a person unless the capability's functions.sql
-- grants it (doses are never deleted). khien_loader: everything but the log. khien_door: only what is granted to it
-- by name. Functions that run with the owner's rights are granted by name, where they are defined.
GRANT USAGE ON SCHEMA public TO khien_app, khien_loader, khien_door;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO khien_app, khien_loader;
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT c.oid::regclass AS name, c.relname, c.relispartition,
            EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'person_id') OR c.relname = 'household'
                AS personal
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    LOOP
        IF found.relname IN ('access_link', 'access_log', 'access_grant') OR found.relispartition THEN
            EXECUTE format('REVOKE ALL ON %s FROM khien_app, khien_loader', found.name);
            CONTINUE;
        END IF;
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON %s TO khien_loader', found.name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %s TO khien_app', found.name);
        IF NOT found.personal THEN
            EXECUTE format('GRANT DELETE ON %s TO khien_app', found.name);
        END IF;
    END LOOP;
    GRANT SELECT ON access_log, access_grant TO khien_app;
    REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM khien_app, khien_loader;
    FOR found IN
        SELECT p.oid::regprocedure AS name, p.prosecdef FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole AND p.prokind IN ('f', 'p')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', found.name);
        IF NOT found.prosecdef THEN
            EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO khien_app, khien_loader', found.name);
        END IF;
    END LOOP;
END $$;
