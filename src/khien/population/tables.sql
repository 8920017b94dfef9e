-- The register. person_id is a meaningless number and the key everywhere (DESIGN §4.1); what identifies a person
-- stands in `identifier`. Every table about a person has person_id in its primary key (Citus needs it).

CREATE SEQUENCE person_id_seq AS bigint;
CREATE SEQUENCE household_id_seq AS bigint;

CREATE TABLE person (
    person_id    bigint PRIMARY KEY,
    name         text NOT NULL CHECK (name <> ''),   -- as on the card, NFC
    name_key     text NOT NULL,          -- khien_name_key(name): given name first, folded: 'vi du nguyen thi' order for search
    birth_date   date NOT NULL,          -- first possible day when not known to the day
    birth_precision "char" NOT NULL DEFAULT 'd' CHECK (birth_precision IN ('d', 'm', 'y')),
    sex          text NOT NULL CHECK (sex IN ('male', 'female', 'other', 'unknown')),   -- FHIR AdministrativeGender
    nationality  text NOT NULL DEFAULT 'VNM',        -- ISO 3166-1 alpha-3
    home_unit    integer NOT NULL REFERENCES unit,   -- commune of permanent residence (or where last registered)
    present_unit integer NOT NULL REFERENCES unit,   -- commune where the person is now: kept at write time from residence
    died_on      date,
    merged_into  bigint,                 -- this record proved to be another person's double; reversible
    changed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),  -- by the wall clock: what changed since a snapshot
    CHECK (died_on IS NULL OR died_on >= birth_date)
);
CREATE INDEX person_name_key ON person (name_key text_pattern_ops);
CREATE INDEX person_home ON person (home_unit);
CREATE INDEX person_present ON person (present_unit);
CREATE INDEX person_merged ON person (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX person_changed ON person USING brin (changed_at);  -- what changed since the last coverage snapshot

-- What a person's record said before it was corrected: nothing that was once in force is lost.
CREATE TABLE person_version (
    person_id    bigint NOT NULL,
    until        timestamptz NOT NULL,   -- when it was superseded
    name         text NOT NULL,
    birth_date   date NOT NULL,
    birth_precision "char" NOT NULL,
    sex          text NOT NULL,
    nationality  text NOT NULL,
    died_on      date,
    source       text NOT NULL,          -- 'correction', 'load'
    PRIMARY KEY (person_id, until)
);

-- Messages that were acted on: the same one again changes nothing (DESIGN §4.8).
CREATE TABLE register_message (
    person_id bigint NOT NULL,
    client_id uuid NOT NULL,             -- given by the sender
    action    text NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_id, person_id)
);

CREATE TABLE identifier (
    kind      text NOT NULL CHECK (kind IN ('personal_number', 'cmnd', 'passport', 'insurance', 'provisional')),
    value     text NOT NULL,             -- normalised: no spaces, upper case
    person_id bigint NOT NULL,
    valid     daterange NOT NULL DEFAULT '[,)',
    PRIMARY KEY (value, kind)
);
CREATE INDEX identifier_person ON identifier (person_id);

CREATE TABLE personal_card (
    person_id    bigint NOT NULL,
    card_number  text NOT NULL,          -- document number as printed
    kind         text NOT NULL CHECK (kind IN ('cmnd', 'cccd', 'cccd_chip', 'can_cuoc')),
    issued_on    date NOT NULL,
    expires_on   date,
    cancelled_on date,
    PRIMARY KEY (person_id, card_number, issued_on)
);

CREATE TABLE household (
    household_id bigint PRIMARY KEY,
    unit_id      integer NOT NULL REFERENCES unit,
    address      text NOT NULL           -- below the commune: house, street, hamlet
);

CREATE TABLE household_member (
    person_id    bigint NOT NULL,
    household_id bigint NOT NULL,
    relation     text NOT NULL CHECK (relation IN ('head', 'spouse', 'child', 'parent', 'sibling', 'grandparent', 'grandchild', 'other')),  -- to the head
    valid        daterange NOT NULL CHECK (NOT isempty(valid)),
    PRIMARY KEY (person_id, household_id, valid)
);
-- One household at a time. Not WITHOUT OVERLAPS: its index takes longer to prove (7 s a million rows, one core) than
-- the whole table to load, and no legal term hangs on a past household as it does on a past residence.
CREATE UNIQUE INDEX household_member_current ON household_member (person_id) WHERE upper_inf(valid);
CREATE INDEX household_member_household ON household_member (household_id);

-- Law on Residence 68/2020/QH14: permanent (thường trú), temporary (tạm trú), stay (lưu trú), absence (tạm vắng).
CREATE TYPE residence_kind AS ENUM ('permanent', 'temporary', 'stay', 'absence');

CREATE TABLE residence (
    person_id bigint NOT NULL,
    kind      residence_kind NOT NULL,
    unit_id   integer NOT NULL REFERENCES unit,  -- for an absence: the commune the person is absent from
    address   text NOT NULL DEFAULT '',
    valid     daterange NOT NULL CHECK (NOT isempty(valid)),
    source    text NOT NULL DEFAULT 'register',  -- 'register', 'citizen', 'host', 'police', ...
    PRIMARY KEY (person_id, kind, valid WITHOUT OVERLAPS)
);

-- What an officer's event changed of one person's residence or household, as it stood before and after: what was entered
-- in error can be undone, and a notice that came late shows.
CREATE TABLE register_change (
    person_id  bigint NOT NULL,
    change_id  uuid NOT NULL,            -- the message's client id; the same for everybody whom one event changed
    subject    text NOT NULL CHECK (subject IN ('residence', 'household')),
    before     jsonb NOT NULL,           -- register_state() before the event
    after      jsonb NOT NULL,
    at         timestamptz NOT NULL,     -- moment of decisions at which it was entered
    kept_at    timestamptz NOT NULL DEFAULT clock_timestamp(),  -- by the wall clock: the order of events
    account_id bigint,
    undone_at  timestamptz,
    PRIMARY KEY (person_id, change_id)
);
CREATE INDEX register_change_id ON register_change (change_id);
CREATE INDEX register_change_at ON register_change (at);

-- Bulk load ----------------------------------------------------------------------------------------------------------

CREATE TABLE load_run (
    run_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text NOT NULL,           -- of the file, the date and the options: what a later start may resume
    file_name   text NOT NULL,
    as_of       date NOT NULL,           -- the day whose state the extract describes
    base        bigint NOT NULL DEFAULT 0,   -- the person of line n, if new, gets the number base + n
    lines       bigint NOT NULL DEFAULT 0,   -- of the file: the numbers up to base + lines are reserved
    stage       text NOT NULL DEFAULT 'staging' CHECK (stage IN ('staging', 'merging', 'done', 'refused', 'abandoned')),
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    counts      jsonb NOT NULL DEFAULT '{}'
);

-- Staging of the bulk load: unlogged, reached by the loader alone, emptied when a load ends.
CREATE SCHEMA loading;
GRANT USAGE, CREATE ON SCHEMA loading TO khien_loader;
-- Definitions of keys and indexes while a large load has them down; filled and emptied within one transaction.
CREATE TABLE loading.kept_key (
    relation  regclass NOT NULL,
    position  integer NOT NULL,
    statement text NOT NULL,
    textual   boolean NOT NULL,          -- an index that begins with a text
    PRIMARY KEY (relation, position)
);

-- The first of `count` numbers in a row that nobody else gets. Others wait the moment that this takes.
CREATE FUNCTION khien_load_reserve(sequence regclass, count bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    first bigint;
BEGIN
    IF sequence <> ALL ('{person_id_seq,household_id_seq}'::regclass[]) THEN
        RAISE insufficient_privilege;
    END IF;
    EXECUTE format('ALTER SEQUENCE %s OWNED BY NONE', sequence);  -- changes nothing, but nobody draws beside it
    first := nextval(sequence);
    PERFORM setval(sequence, first + greatest(count, 1) - 1);
    RETURN first;
END $$;

-- A load larger than the register takes keys and indexes down and builds them once, sorted: 4 times faster. Both run in
-- the load's own transaction, so that a killed load leaves the keys as they were. The loader does not own the tables,
-- hence the owner's rights; the functions touch definitions only. False: other tables refer to these keys, nothing done.
-- With `keep_foreign` the foreign keys stay, for a loader that may switch their row-by-row check off: two transactions can
-- then load two tables side by side. keys_up proves them with one join.
CREATE FUNCTION khien_load_keys_down(tables regclass[], keep_foreign boolean) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    taken "char"[] := CASE WHEN keep_foreign THEN '{p,u,x}' ELSE '{p,u,x,f}' END;
    found record;
BEGIN
    IF NOT tables::oid[] <@ '{person,identifier,personal_card,household,household_member,residence}'::regclass[]::oid[] THEN
        RAISE insufficient_privilege;
    END IF;
    IF EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND confrelid = ANY (tables)) THEN
        RETURN false;
    END IF;
    -- Nobody may take away what the rows refer to before that is proved.
    FOR found IN SELECT DISTINCT confrelid::regclass AS relation FROM pg_constraint
        WHERE conrelid = ANY (tables) AND contype = 'f' AND keep_foreign
    LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE MODE', found.relation);
    END LOOP;
    INSERT INTO loading.kept_key (relation, position, statement, textual)
    SELECT relation, row_number() OVER (ORDER BY rank, name), statement,
        coalesce((SELECT a.atttypid = 'text'::regtype FROM pg_attribute a WHERE a.attrelid = index AND a.attnum = 1), false)
    FROM (
        SELECT conrelid::regclass AS relation, CASE contype WHEN 'p' THEN 1 ELSE 3 END AS rank, conname AS name,
            format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS statement,
            conindid AS index
        FROM pg_constraint WHERE conrelid = ANY (tables) AND contype = ANY (taken)
        UNION ALL
        SELECT i.indrelid::regclass, 2, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), i.indexrelid
        FROM pg_index i WHERE i.indrelid = ANY (tables)
          AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.conrelid = i.indrelid)
        UNION ALL
        SELECT d.adrelid::regclass, 4, a.attname,
            format('ALTER TABLE %s ALTER %I SET DEFAULT clock_timestamp()', d.adrelid::regclass, a.attname), 0
        FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        WHERE d.adrelid = ANY (tables) AND pg_get_expr(d.adbin, d.adrelid) = 'clock_timestamp()'
    ) kept;
    -- What is asked anew for each row keeps COPY from writing a page at a time.
    FOR found IN SELECT d.adrelid::regclass AS relation, a.attname
        FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        WHERE d.adrelid = ANY (tables) AND pg_get_expr(d.adbin, d.adrelid) = 'clock_timestamp()'
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER %I SET DEFAULT %L', found.relation, found.attname, clock_timestamp());
    END LOOP;
    FOR found IN SELECT conrelid::regclass AS relation, conname FROM pg_constraint
        WHERE conrelid = ANY (tables) AND contype = ANY (taken)
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.relation, found.conname);
    END LOOP;
    FOR found IN SELECT indexrelid::regclass AS name FROM pg_index WHERE indrelid = ANY (tables) LOOP
        EXECUTE format('DROP INDEX %s', found.name);
    END LOOP;
    RETURN true;
END $$;

CREATE FUNCTION khien_load_keys_up(tables regclass[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET default_statistics_target = 30 AS $$
DECLARE
    forced regclass[];
    found record;
    wrong boolean;
    memory text := current_setting('maintenance_work_mem');
BEGIN
    IF NOT tables::oid[] <@ '{person,identifier,personal_card,household,household_member,residence}'::regclass[]::oid[] THEN
        RAISE insufficient_privilege;
    END IF;
    -- A foreign key is proved for every row, not for those the loading actor may see; while the policies bind the
    -- owner, PostgreSQL would also ask row by row instead of with one join. Nobody else can look: the tables are locked.
    SELECT coalesce(array_agg(oid::regclass), '{}') INTO forced
    FROM pg_class WHERE oid = ANY (tables) AND relforcerowsecurity;
    FOR found IN SELECT unnest(forced) AS relation LOOP
        EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', found.relation);
    END LOOP;
    FOR found IN
        SELECT c.conname, c.conrelid::regclass AS relation, c.confrelid::regclass AS target,
            string_agg(format('t.%I = r.%I', a.attname, b.attname), ' AND ') AS same,
            string_agg(format('t.%I IS NOT NULL', a.attname), ' AND ') AS given
        FROM pg_constraint c, unnest(c.conkey, c.confkey) AS k (own, other)
        JOIN pg_attribute a ON a.attnum = k.own JOIN pg_attribute b ON b.attnum = k.other
        WHERE c.conrelid = ANY (tables) AND c.contype = 'f' AND a.attrelid = c.conrelid AND b.attrelid = c.confrelid
        GROUP BY c.oid, c.conname, c.conrelid, c.confrelid
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s t WHERE %s AND NOT EXISTS (SELECT FROM %s r WHERE %s))',
            found.relation, found.given, found.target, found.same) INTO wrong;
        IF wrong THEN
            RAISE foreign_key_violation USING MESSAGE = format('foreign key %s does not hold', found.conname);
        END IF;
    END LOOP;
    -- Texts are sorted in runs small enough for the processor's cache, a third faster than all at once, and large enough
    -- to be merged in one pass (each run is read 264 kB at a time).
    FOR found IN
        SELECT k.statement, CASE WHEN k.textual THEN greatest(8192, sqrt(pg_relation_size(k.relation) / 1024.0 * 264)::integer)
            || 'kB' ELSE memory END AS memory
        FROM loading.kept_key k WHERE k.relation = ANY (tables) ORDER BY k.relation, k.position
    LOOP
        PERFORM set_config('maintenance_work_mem', found.memory, true);
        EXECUTE found.statement;
    END LOOP;
    PERFORM set_config('maintenance_work_mem', memory, true);
    FOR found IN SELECT unnest(forced) AS relation LOOP
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', found.relation);
    END LOOP;
    DELETE FROM loading.kept_key k WHERE k.relation = ANY (tables);
    -- The planner must not work with the figures of an empty register until autovacuum comes round. A sample of 9,000
    -- rows a table (statistics target 30) tells it enough.
    FOR found IN SELECT unnest(tables) AS relation LOOP
        EXECUTE format('ANALYZE %s', found.relation);
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION khien_load_reserve(regclass, bigint), khien_load_keys_down(regclass[], boolean),
    khien_load_keys_up(regclass[]) TO khien_loader;
