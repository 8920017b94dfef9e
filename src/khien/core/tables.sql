-- Extensions and functions that every capability may use.

CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Fold a text for comparison: lower case, no accents, đ → d, single spaces. Same as khien.core.text.fold.
CREATE FUNCTION khien_fold(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN btrim(regexp_replace(
        translate(lower(normalize(value, NFD)), U&'\0111\0300\0301\0302\0303\0306\0308\0309\030a\030c\0323\0327\031b', 'd'),
        '\s+', ' ', 'g'));

-- The day on which decisions are taken: the wall clock, or the day a demonstration plays on.
CREATE TABLE clock (
    single    boolean PRIMARY KEY DEFAULT true CHECK (single),
    demo_on   date                        -- null: today
);
INSERT INTO clock DEFAULT VALUES;
