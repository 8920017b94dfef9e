-- name: flows
SELECT f.day, f.from_unit, a.code AS from_code, a.name AS from_name, f.to_unit, b.code AS to_code, b.name AS to_name,
    f.people, f.late
FROM zone_flows(%(first)s, %(last)s, %(level)s) f JOIN unit a ON a.unit_id = f.from_unit JOIN unit b ON b.unit_id = f.to_unit
ORDER BY f.day, f.people DESC, a.unit_id, b.unit_id;

-- name: push
SELECT zone_push(%(zone_id)s, %(area)s::int4multirange, %(households)s::bigint[], %(place_units)s::integer[],
    %(place_words)s::text[], %(moment)s, %(days)s, %(hours)s);

-- name: tasks
SELECT t.*, home.name AS home_name, here.name AS unit_name
FROM zone_tasks(%(since)s) t JOIN unit home ON home.unit_id = t.home_unit JOIN unit here ON here.unit_id = t.unit_id;

-- name: task_done
SELECT zone_task_done(%(person_id)s, %(zone_id)s, %(unit_id)s, %(came_on)s, %(state)s, %(before)s::text[], %(today)s, %(note)s);

-- name: record_need
INSERT INTO person_need (person_id, kind, valid, source)
SELECT %(person_id)s, %(kind)s, daterange(%(from_day)s::date, %(until_day)s::date), %(source)s
WHERE EXISTS (SELECT FROM person p WHERE p.person_id = %(person_id)s)
  AND NOT EXISTS (SELECT FROM person_need n WHERE n.person_id = %(person_id)s AND n.kind = %(kind)s
                  AND n.valid && daterange(%(from_day)s::date, %(until_day)s::date));

-- name: refresh_presence
-- Where the register says everybody is on a day, written where the person row says something else.
UPDATE person p SET present_unit = r.unit_id, changed_at = clock_timestamp()
FROM zone_register_place(NULL, ARRAY[%(on)s::date]) r
WHERE r.person_id = p.person_id AND r.unit_id IS NOT NULL AND r.unit_id <> p.present_unit
RETURNING p.person_id;

-- name: expire
SELECT partition, tasks, open FROM zone_task_expire(%(before)s);

-- name: needs
-- What was recorded of one person's needs, the newest first.
SELECT kind, lower(valid) AS from_day, upper(valid) AS until_day, source, valid @> %(on)s::date AS now
FROM person_need WHERE person_id = %(person_id)s ORDER BY upper_inf(valid) DESC, lower(valid) DESC, kind;

-- name: end_need
UPDATE person_need SET valid = daterange(lower(valid), %(on)s::date)
WHERE person_id = %(person_id)s AND kind = %(kind)s AND valid @> %(on)s::date AND lower(valid) < %(on)s::date;

-- name: drop_need
DELETE FROM person_need WHERE person_id = %(person_id)s AND kind = %(kind)s AND lower(valid) = %(from_day)s;

-- name: load_needs
-- Needs by number of person; who is not known, or whose number is two people's, comes back with its line.
WITH given AS (
    SELECT * FROM unnest(%(lines)s::integer[], %(numbers)s::text[], %(kinds)s::text[], %(from)s::date[], %(until)s::date[])
        AS t (line, number, kind, from_day, until_day)
), found AS (
    SELECT g.line, g.kind, daterange(g.from_day, g.until_day) AS valid, min(coalesce(p.merged_into, p.person_id)) AS person_id
    FROM given g JOIN identifier i ON i.value = g.number AND i.valid @> %(today)s::date JOIN person p USING (person_id)
    GROUP BY 1, 2, 3 HAVING count(DISTINCT coalesce(p.merged_into, p.person_id)) = 1
), added AS (
    INSERT INTO person_need (person_id, kind, valid, source)
    SELECT DISTINCT ON (f.person_id, f.kind) f.person_id, f.kind, f.valid, %(source)s FROM found f
    WHERE NOT EXISTS (SELECT FROM person_need n WHERE n.person_id = f.person_id AND n.kind = f.kind AND n.valid && f.valid)
    ORDER BY f.person_id, f.kind, f.line
    RETURNING person_id
)
SELECT coalesce((SELECT array_agg(DISTINCT person_id) FROM added), '{}') AS persons, (SELECT count(*) FROM added) AS added,
    coalesce((SELECT array_agg(g.line ORDER BY g.line) FROM given g WHERE g.line NOT IN (SELECT line FROM found)), '{}')
        AS unknown;


-- name: visible
SELECT EXISTS (SELECT FROM person WHERE person_id = %(person_id)s);
