-- Keys of names, the same as khien.population.rules.names, and provisional ids.
-- The collation is named, so that lower() knows Đ and Ơ whatever the database's own locale is.

-- Folded, the given name first: 'Nguyễn Thị Ví Dụ' gives 'du nguyen thi vi'. For search by prefix.
-- plpgsql, because an inlined SQL body would fold the name three times.
CREATE OR REPLACE FUNCTION khien_name_key(name text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT
AS $$
DECLARE
    folded text := khien_fold(name);
    given  text := split_part(folded, ' ', -1);
BEGIN
    RETURN btrim(given || ' ' || left(folded, -1 - length(given)), ' ');
END
$$;

-- A key whose byte order is the Vietnamese order of names, given name first: ORDER BY khien_name_sort(name) COLLATE "C".
-- Tones become digits at the end of their word (below every letter, above the space); breve, circumflex, horn and the
-- stroke of đ become characters above z, so that ă, â come after every a and before b.
CREATE OR REPLACE FUNCTION khien_name_sort(name text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT
AS $$
DECLARE
    bare  text := replace(lower(normalize(name, NFD) COLLATE pg_c_utf8), U&'\0111', 'd{');
    given text;
BEGIN
    bare := btrim(regexp_replace(bare, '\s+', ' ', 'g'));
    bare := regexp_replace(bare, U&'([\0300\0309\0303\0301\0323])([^ ]*)', '\2\1', 'g');
    bare := translate(bare, U&'\0300\0309\0303\0301\0323\0306\0302\031b', '12345{|}');
    given := split_part(bare, ' ', -1);
    RETURN btrim(given || ' ' || left(bare, -1 - length(given)), ' ');
END
$$;

-- The id of a person without a personal number: KT, 10 digits, 2 check digits (ISO 7064 MOD 97-10).
CREATE OR REPLACE FUNCTION khien_provisional_id(serial bigint) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN 'KT' || lpad(serial::text, 10, '0') || lpad((98 - serial * 100 % 97)::text, 2, '0');

-- How alike two names are: 'same', 'unaccented', 'one_apart', 'order' or 'different'; the same classes as
-- khien.population.rules.name_likeness.compare. The folded names are compared first: they settle most questions.
CREATE OR REPLACE FUNCTION khien_name_likeness(left_name text, right_name text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT
AS $$
DECLARE
    a text := khien_fold(left_name);
    b text := khien_fold(right_name);
    differing integer;
    start integer := 1;
BEGIN
    IF a = b THEN
        left_name := btrim(regexp_replace(lower(normalize(left_name, NFC)), '\s+', ' ', 'g'));
        right_name := btrim(regexp_replace(lower(normalize(right_name, NFC)), '\s+', ' ', 'g'));
        IF left_name = right_name THEN
            RETURN 'same';
        END IF;
        IF left_name = a OR right_name = b THEN  -- accents on one side alone
            RETURN 'unaccented';
        END IF;
        IF khien_name_sort(left_name) = khien_name_sort(right_name) THEN
            RETURN 'same';
        END IF;
        -- Accents on both sides that contradict each other in one word are another name; in several, a bad reader.
        SELECT count(*) INTO differing
        FROM unnest(string_to_array(left_name, ' '), string_to_array(right_name, ' ')) AS w (l, r)
        WHERE khien_name_sort(coalesce(w.l, '')) <> khien_name_sort(coalesce(w.r, ''));
        RETURN CASE WHEN differing = 1 THEN 'one_apart' ELSE 'unaccented' END;
    END IF;
    IF abs(length(a) - length(b)) <= 1 THEN
        WHILE substr(a, start, 1) = substr(b, start, 1) AND start <= length(a) LOOP
            start := start + 1;
        END LOOP;
        IF substr(a, start + 1) = substr(b, start + 1) OR substr(a, start + 1) = substr(b, start)
           OR substr(a, start) = substr(b, start + 1)
           OR (substr(a, start, 2) = reverse(substr(b, start, 2)) AND substr(a, start + 2) = substr(b, start + 2)) THEN
            RETURN 'one_apart';
        END IF;
    END IF;
    -- Under "C", as Python sorts; only that both are sorted alike matters.
    RETURN CASE WHEN ARRAY(SELECT w FROM unnest(string_to_array(a, ' ')) w ORDER BY w COLLATE "C")
                   = ARRAY(SELECT w FROM unnest(string_to_array(b, ' ')) w ORDER BY w COLLATE "C")
                THEN 'order' ELSE 'different' END;
END
$$;

-- Events on residence and household -----------------------------------------------------------------------------------

-- The rows of a person's residence, or of their membership of households, as one value.
CREATE OR REPLACE FUNCTION register_state(person bigint, subject text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF subject = 'household' THEN
        RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('household_id', m.household_id, 'relation', m.relation,
                    'valid', m.valid::text) ORDER BY m.valid, m.household_id), '[]')
                FROM household_member m WHERE m.person_id = person);
    END IF;
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', r.kind, 'unit_id', r.unit_id, 'address', r.address,
                'valid', r.valid::text, 'source', r.source) ORDER BY r.kind, r.valid), '[]')
            FROM residence r WHERE r.person_id = person);
END
$$;

-- Put a person back to where they stood before an event, if nothing was entered since: 'undone', 'undone_already',
-- 'changed_since' or null (no such event of somebody whom the caller sees). The owner's rights, because the app may not
-- delete what an event added; it goes back to what was kept and nowhere else.
CREATE OR REPLACE FUNCTION register_restore(person bigint, change uuid, moment timestamptz) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    kept register_change;
BEGIN
    SELECT * INTO kept FROM register_change c WHERE c.person_id = person AND c.change_id = change FOR UPDATE;
    IF kept IS NULL OR kept.undone_at IS NOT NULL THEN
        RETURN CASE WHEN kept.undone_at IS NOT NULL THEN 'undone_already' END;
    END IF;
    IF register_state(person, kept.subject) <> kept.after THEN
        RETURN 'changed_since';
    END IF;
    IF kept.subject = 'household' THEN
        DELETE FROM household_member m WHERE m.person_id = person;
        INSERT INTO household_member (person_id, household_id, relation, valid)
        SELECT person, household_id, relation, valid
        FROM jsonb_to_recordset(kept.before) AS t (household_id bigint, relation text, valid daterange);
    ELSE
        DELETE FROM residence r WHERE r.person_id = person;
        INSERT INTO residence (person_id, kind, unit_id, address, valid, source)
        SELECT person, kind, unit_id, address, valid, source
        FROM jsonb_to_recordset(kept.before)
            AS t (kind residence_kind, unit_id integer, address text, valid daterange, source text);
    END IF;
    UPDATE register_change c SET undone_at = moment WHERE c.person_id = person AND c.change_id = change;
    RETURN 'undone';
END
$$;

-- Spells that a new one of their kind takes in whole, by their first days. The owner's rights, because the app may not
-- delete; what stood before is kept by the event that calls this, and comes back when it is undone.
CREATE OR REPLACE FUNCTION residence_give_way(person bigint, of_kind residence_kind, starts date[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM residence r WHERE r.person_id = person AND r.kind = of_kind AND lower(r.valid) = ANY (starts)
$$;
REVOKE ALL ON FUNCTION residence_give_way(bigint, residence_kind, date[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION residence_give_way(bigint, residence_kind, date[]) TO khien_app, khien_loader;

-- Where somebody whom the caller sees is from now on (null: as before). Who enters that a person has left the caller's area still sees the
-- result, and can undo it, for a day: the policies would refuse a row that leaves their sight. The record counts as changed
-- even where both places stay: figures of past days are asked of the residence that was entered.
CREATE OR REPLACE FUNCTION register_place(person bigint, home integer, present integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    mine text := current_setting('khien.area', true);
    reach int4multirange := khien_area();
    stays boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM person p WHERE p.person_id = person) THEN
        RETURN;
    END IF;
    PERFORM set_config('khien.area', '{(,)}', true);
    UPDATE person p SET home_unit = coalesce(home, p.home_unit), present_unit = coalesce(present, p.present_unit),
        changed_at = clock_timestamp()
    WHERE p.person_id = person
    RETURNING (old.home_unit, old.present_unit) = (new.home_unit, new.present_unit)
        OR new.home_unit <@ reach OR new.present_unit <@ reach INTO stays;
    PERFORM set_config('khien.area', mine, true);
    IF NOT stays AND khien_account() IS NOT NULL THEN
        INSERT INTO access_grant (person_id, account_id, purpose, until)
        VALUES (person, khien_account(), khien_purpose(), now() + interval '24 hours')
        ON CONFLICT (person_id, account_id, purpose) DO UPDATE SET until = greatest(access_grant.until, excluded.until);
    END IF;
END
$$;

-- Everybody who belongs to households that the caller sees, held until the end, also who lives elsewhere: else a second
-- head could be made beside one who is out of sight. Gives out ids and relations, no names.
CREATE OR REPLACE FUNCTION register_members(households bigint[])
    RETURNS TABLE (person_id bigint, household_id bigint, relation text, since date, counts boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    mine text := current_setting('khien.area', true);
    seen bigint[] := ARRAY(SELECT h.household_id FROM household h WHERE h.household_id = ANY (households));
BEGIN
    PERFORM set_config('khien.area', '{(,)}', true);
    RETURN QUERY
    SELECT m.person_id, m.household_id, m.relation, lower(m.valid), p.died_on IS NULL AND p.merged_into IS NULL
    FROM household_member m JOIN person p ON p.person_id = m.person_id
    WHERE m.household_id = ANY (seen) AND upper_inf(m.valid) ORDER BY m.person_id FOR UPDATE OF m;
    PERFORM set_config('khien.area', mine, true);
END
$$;
GRANT EXECUTE ON FUNCTION register_members(bigint[]), register_restore(bigint, uuid, timestamptz), register_place(bigint, integer, integer)
    TO khien_app, khien_loader;
