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
    bare boolean;
    start integer := 1;
BEGIN
    IF a = b THEN
        IF khien_name_sort(left_name) = khien_name_sort(right_name) THEN
            RETURN 'same';
        END IF;
        left_name := btrim(regexp_replace(lower(normalize(left_name, NFC)), '\s+', ' ', 'g'));
        right_name := btrim(regexp_replace(lower(normalize(right_name, NFC)), '\s+', ' ', 'g'));
        bare := left_name = a OR right_name = b;
        IF bare THEN
            RETURN 'unaccented';
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
