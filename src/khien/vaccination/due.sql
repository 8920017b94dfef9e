-- name: programme
SELECT programme_id, revision, rules, seen_until FROM due_programme WHERE programme = %(programme)s;

-- name: put_programme
-- A programme asked for the first time, or with other rules than before: its people's past is built anew.
INSERT INTO due_programme AS d (programme, rules, seen_until)
VALUES (%(programme)s, %(rules)s, clock_timestamp() - interval '10 minutes')
ON CONFLICT (programme) DO UPDATE SET rules = excluded.rules, seen_until = excluded.seen_until,
    revision = d.revision + (d.rules <> excluded.rules)::int
RETURNING programme_id, revision, rules, seen_until;

-- name: moment
-- A moment before which every change of a dose is seen by the next statement: a second ago, or ten minutes ago while
-- others have doses in hand, since what they changed before this moment may not be committed yet. Whoever writes a dose
-- keeps this lock of the table until the transaction ends.
SELECT clock_timestamp() - CASE WHEN EXISTS (
        SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE d.datname = current_database() AND l.relation = 'dose'::regclass AND l.pid <> pg_backend_pid()
          AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))
    THEN interval '10 minutes' ELSE interval '1 second' END;

-- name: set_seen
UPDATE due_programme SET seen_until = %(moment)s WHERE programme_id = %(programme_id)s AND seen_until < %(moment)s;

-- name: build
SELECT found, missing FROM due_build(%(programme_id)s, %(revision)s, %(area)s::int4multirange, %(since)s::timestamptz,
    %(most)s::int, %(products)s::text[], %(places)s::int[], %(marks)s::date[]);

-- name: put_days
INSERT INTO due_day (programme_id, revision, day, births, starts)
SELECT %(programme_id)s, %(revision)s, (row ->> 'day')::date, ARRAY(SELECT jsonb_array_elements_text(row -> 'births')::date),
       ARRAY(SELECT jsonb_array_elements_text(row -> 'starts')::date)
FROM jsonb_array_elements(%(rows)s) AS row
ON CONFLICT DO NOTHING;

-- name: sort
SELECT due_sort(%(programme_id)s, %(revision)s, %(area)s::int4multirange, %(on)s, %(births)s::date[], %(starts)s::date[],
    %(codes)s::text[], %(by_sex)s);

-- name: kinds
SELECT kind, min(person_id) AS person_id, count(*) AS people FROM due_person GROUP BY kind;

-- name: examples
SELECT person_id, birth_date, sex, days, whats, codes_known, since
FROM due_examples(%(people)s::bigint[], %(on)s, %(products)s::text[], %(places)s::int[], %(codes)s::text[]);

-- name: drop_due
DROP TABLE IF EXISTS pg_temp.due_group;

-- name: due_groups
CREATE TEMP TABLE due_group (
    kind bigint NOT NULL, vaccine_group text NOT NULL, dose_number int, dose_kind text NOT NULL, vaccines text[] NOT NULL,
    past_due boolean NOT NULL, people bigint NOT NULL, PRIMARY KEY (kind, vaccine_group)
) ON COMMIT DROP;

-- name: add_due
INSERT INTO due_group
SELECT kind, vaccine_group, dose_number, dose_kind, string_to_array(vaccines, ' '), past_due, people
FROM unnest(%(kind)s::bigint[], %(vaccine_group)s::text[], %(dose_number)s::int[], %(dose_kind)s::text[],
            %(vaccines)s::text[], %(past_due)s::bool[], %(people)s::bigint[])
     AS t (kind, vaccine_group, dose_number, dose_kind, vaccines, past_due, people);

-- name: count_due
SELECT vaccine_group, dose_kind, dose_number, sum(people)::bigint AS people,
       coalesce(sum(people) FILTER (WHERE past_due), 0)::bigint AS past_due
FROM due_group GROUP BY 1, 2, 3 ORDER BY 1, 3;

-- name: due_people
SELECT d.person_id, d.unit_id, g.vaccine_group, g.dose_number, g.dose_kind, g.vaccines, g.past_due
FROM due_person d JOIN due_group g USING (kind) ORDER BY d.unit_id, d.person_id, g.vaccine_group;

-- name: next_unit
-- The next commune of the area in which somebody is.
SELECT min(next.unit_id) FROM unnest(%(area)s::int4multirange) AS part, LATERAL (
    SELECT p.present_unit AS unit_id FROM person p
    WHERE p.present_unit >= greatest(lower(part), %(unit)s) AND (upper(part) IS NULL OR p.present_unit < upper(part))
    ORDER BY p.present_unit LIMIT 1) next;
