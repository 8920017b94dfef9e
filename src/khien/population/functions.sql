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
