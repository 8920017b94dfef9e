-- What pages show beside lists and orders.

-- name: middles
-- Where units lie: their own middle, or that of their communes.
SELECT u.unit_id, coalesce(u.lon, c.lon) AS lon, coalesce(u.lat, c.lat) AS lat
FROM unit u LEFT JOIN LATERAL (
    SELECT avg(c.lon) AS lon, avg(c.lat) AS lat FROM unit c WHERE u.lat IS NULL AND c.unit_id BETWEEN u.unit_id AND u.last_id
) c ON true
WHERE u.unit_id = ANY (%(ids)s);

-- name: addresses
-- Households of an order, by where they are.
SELECT h.household_id, h.address, u.name AS unit_name FROM household h JOIN unit u USING (unit_id)
WHERE h.household_id = ANY (%(ids)s) ORDER BY u.unit_id, h.address;

-- name: capacity
-- The newest report of each commune within a unit on a day.
SELECT u.unit_id, u.code, unit_called(u.unit_id) AS name, k.sufficient, k.reported_on, k.note
FROM unit u LEFT JOIN LATERAL (
    SELECT * FROM care_capacity c WHERE c.unit_id = u.unit_id AND c.reported_on <= %(on)s::date
    ORDER BY c.reported_on DESC LIMIT 1
) k ON true
WHERE u.level = 3 AND u.valid @> %(on)s::date AND u.unit_id BETWEEN %(first)s AND %(last)s
ORDER BY u.code;

-- name: needing
-- The present people of an area who need one thing, by place and household.
SELECT * FROM zone_people(%(area)s::int4multirange, %(households)s::bigint[], %(place_units)s::integer[],
    %(place_words)s::text[], %(moment)s, 0, %(hours)s, %(disease)s)
WHERE list IN ('resident_present', 'temporary_present') AND needs @> ARRAY[%(need)s::text]
ORDER BY household_unit, address, household_id, birth_date, person_id LIMIT %(page)s OFFSET %(skip)s;

-- name: named
SELECT person_id, name, birth_date FROM person WHERE person_id = ANY (%(ids)s);

-- name: around
-- The smallest unit above communes that all of these lie in, on a day.
SELECT unit_id FROM unit
WHERE unit_id <= (SELECT min(i) FROM unnest(%(ids)s::integer[]) i) AND last_id >= (SELECT max(i) FROM unnest(%(ids)s::integer[]) i)
  AND level < 3 AND valid @> %(on)s::date
ORDER BY level DESC LIMIT 1;
