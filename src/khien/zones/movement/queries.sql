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
SELECT partition, passages FROM passage_expire(%(before)s);
