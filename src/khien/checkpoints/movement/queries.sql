-- name: checkpoints
-- Checkpoints within the actor's area that are open on a day.
SELECT c.checkpoint_id, c.code, c.name, c.unit_id, u.name AS unit_name, c.road, c.agency_id, lower(c.open) AS open_from,
    upper(c.open) AS open_until
FROM checkpoint c JOIN unit u USING (unit_id)
WHERE c.unit_id <@ %(area)s::int4multirange AND c.open @> %(today)s::date
ORDER BY c.code;

-- name: checkpoint
SELECT c.checkpoint_id, c.code, c.name, c.unit_id, u.name AS unit_name, c.road, c.agency_id
FROM checkpoint c JOIN unit u USING (unit_id)
WHERE c.unit_id <@ %(area)s::int4multirange AND (c.code = %(code)s OR c.checkpoint_id = %(checkpoint_id)s::integer);

-- name: months_ready
SELECT passage_month_ready(month) FROM unnest(%(months)s::timestamptz[]) AS month;

-- name: record
SELECT n, outcome, person_id FROM passage_record(
    %(checkpoint_id)s, %(at)s, %(device_id)s, %(client_id)s::uuid[], %(passed_at)s::timestamptz[], %(person_id)s::bigint[],
    %(number)s::text[], %(name)s::text[], %(born_first)s::date[], %(born_last)s::date[], %(pass_id)s::uuid[],
    %(direction)s::text[], %(from_unit)s::integer[], %(to_unit)s::integer[], %(plate)s::text[], %(companions)s::smallint[],
    %(party)s::uuid[], %(checked)s::text[]);

-- name: passages
SELECT l.*, origin.name AS from_name, goal.name AS to_name
FROM passage_list(%(checkpoint_id)s, %(since)s, %(until)s, %(plate)s, %(name)s, %(most)s) l
LEFT JOIN unit origin ON origin.unit_id = l.from_unit LEFT JOIN unit goal ON goal.unit_id = l.to_unit
ORDER BY l.passed_at DESC, l.person_id;

-- name: unmatched
SELECT client_id, passed_at, direction, noted, checked, recorded_at FROM passage_unmatched
WHERE checkpoint_id = %(checkpoint_id)s AND passed_at >= %(since)s AND passed_at < %(until)s
ORDER BY passed_at DESC LIMIT %(most)s;

-- name: per_hour
-- Passages of one checkpoint by hour (Viet Nam) and direction.
SELECT date_trunc('hour', passed_at, 'Asia/Ho_Chi_Minh') AS hour, count(*) FILTER (WHERE direction = 'in') AS came_in,
    count(*) FILTER (WHERE direction = 'out') AS went_out
FROM passage WHERE checkpoint_id = %(checkpoint_id)s AND passed_at >= %(since)s AND passed_at < %(until)s
GROUP BY 1 ORDER BY 1;

-- name: notices
-- `own`: the record itself may be opened too; of whoever lives elsewhere the list alone is seen.
SELECT m.*, u.name AS unit_name, concat_ws(', ', o.name, unit_within(o.unit_id)) AS other_name, c.code AS checkpoint,
    c.name AS checkpoint_name, EXISTS (SELECT FROM person p WHERE p.person_id = m.person_id) AS own
FROM movement_notices(%(units)s::int4multirange, %(since)s, %(state)s, %(most)s) m
JOIN unit u ON u.unit_id = m.unit_id LEFT JOIN unit o ON o.unit_id = m.other_unit
LEFT JOIN checkpoint c ON c.checkpoint_id = m.checkpoint_id
ORDER BY m.at DESC, m.person_id;

-- name: notice_counts
SELECT state, count(*) AS entries FROM movement_notice
WHERE unit_id <@ %(units)s::int4multirange AND at >= %(since)s GROUP BY state;

-- name: settle_notice
UPDATE movement_notice SET state = %(state)s, done_at = %(at)s, done_by = %(account_id)s
WHERE person_id = %(person_id)s AND unit_id = %(unit_id)s AND kind = %(kind)s AND at = %(noticed_at)s
  AND unit_id <@ %(area)s::int4multirange;

-- name: declare
SELECT n, outcome, pass_id, expires_at FROM declaration_record(
    %(at)s, %(expires)s, %(channel)s, %(form)s, %(client_id)s::uuid[], %(pass_id)s::uuid[], %(party)s::uuid[],
    %(number)s::text[], %(name)s::text[], %(birth_date)s::text[], %(born_first)s::date[], %(born_last)s::date[],
    %(sex)s::text[], %(verdict)s::text[], %(notes)s::text[], %(from_unit)s::integer[], %(to_unit)s::integer[],
    %(plate)s::text[], %(answers)s::jsonb[]);

-- name: pass_facts
SELECT f.*, origin.name AS from_name, goal.name AS to_name FROM pass_facts(%(pass_id)s) f
LEFT JOIN unit origin ON origin.unit_id = f.from_unit LEFT JOIN unit goal ON goal.unit_id = f.to_unit;

-- name: revoke_pass
SELECT pass_revoke(%(pass_id)s, %(at)s, %(reason)s);

-- name: figures
SELECT * FROM checkpoint_figures(%(since)s, %(until)s);

-- name: figures_by_hour
SELECT * FROM checkpoint_hours(%(since)s, %(until)s);

-- name: kit_apart
-- Who is to stay apart while the kit is good, and one in 256 of everybody, by the secret of this year: whoever tries out
-- people on a kit that was lost learns nothing certain, and not more from the next kit.
CREATE TEMP TABLE kit_apart ON COMMIT DROP AS
SELECT coalesce(p.merged_into, p.person_id) AS person_id
FROM checkpoint_kit_apart(%(first)s, %(last)s) JOIN person p USING (person_id)
UNION
SELECT person_id FROM person WHERE hashint8extended(person_id, %(secret)s) & 255 = 0 AND merged_into IS NULL;

-- name: kit_people
-- One line for each number of each living person: number|name key|birth date as far as it is known; once more with
-- 'apart|' before it for those of kit_apart, numbers of a double too. Copied out raw.
COPY (
    SELECT said.first || i.value || '|' || p.name_key || '|' || to_char(p.birth_date, CASE p.birth_precision
        WHEN 'd' THEN 'YYYY-MM-DD' WHEN 'm' THEN 'YYYY-MM' ELSE 'YYYY' END)
    FROM identifier i JOIN person p USING (person_id)
    LEFT JOIN kit_apart a ON a.person_id = coalesce(p.merged_into, p.person_id)
    CROSS JOIN LATERAL (VALUES (''), (CASE WHEN a.person_id IS NOT NULL THEN 'apart|' END)) said (first)
    WHERE said.first IS NOT NULL AND i.kind IN ('personal_number', 'cmnd', 'provisional') AND upper_inf(i.valid) AND p.died_on IS NULL
) TO STDOUT;

-- name: kit_size
-- About how many lines that will be.
SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'identifier'::regclass;

-- name: kit_revoked
SELECT pass_id FROM declaration WHERE revoked_at IS NOT NULL AND expires_at > %(at)s
UNION ALL
SELECT pass_id FROM declaration_unmatched WHERE revoked_at IS NOT NULL AND expires_at > %(at)s;

-- name: kit_zones
SELECT grade, area, name FROM checkpoint_kit_zones(%(day)s);

-- name: kit_places
-- Communes of every system in a zone, as they stand in an address, and the highest grade.
SELECT u.name_folded || '|' || p.name_folded AS place, max(z.grade) AS grade
FROM checkpoint_kit_zones(%(day)s) z
JOIN unit u ON u.unit_id <@ z.area::int4multirange AND u.level = 3
JOIN unit p ON p.system = u.system AND p.level = 1 AND u.unit_id BETWEEN p.unit_id AND p.last_id
GROUP BY 1;

-- name: retain
SELECT what, rows FROM passage_retain(%(before)s);
