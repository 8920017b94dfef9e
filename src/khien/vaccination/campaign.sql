-- name: insert_campaign
INSERT INTO campaign (client_id, name, programme, vaccine_group, unit_id, starts_on, ends_on, document)
VALUES (%(client_id)s, %(name)s, %(programme)s, %(vaccine_group)s, %(unit_id)s, %(starts_on)s, %(ends_on)s, %(document)s)
ON CONFLICT (client_id) DO NOTHING RETURNING campaign_id;

-- name: campaign_by_message
SELECT campaign_id FROM campaign WHERE client_id = %(client_id)s;

-- name: campaign
-- Within the area, or of a unit above it: a commune sees the campaign of its province.
SELECT c.*, u.name AS unit_name FROM campaign c JOIN unit u USING (unit_id)
WHERE c.campaign_id = %(campaign_id)s
  AND (c.unit_id <@ %(area)s::int4multirange OR int4range(u.unit_id, u.last_id, '[]') && %(area)s::int4multirange);

-- name: campaigns
SELECT c.*, u.name AS unit_name FROM campaign c JOIN unit u USING (unit_id)
WHERE c.unit_id <@ %(area)s::int4multirange OR int4range(u.unit_id, u.last_id, '[]') && %(area)s::int4multirange
ORDER BY c.starts_on DESC, c.campaign_id DESC;

-- name: lock_campaign
SELECT campaign_id FROM campaign WHERE campaign_id = %(campaign_id)s FOR UPDATE;

-- name: insert_allocation
INSERT INTO allocation (client_id, campaign_id, product, unit_id, site_id, doses, document, allocated_at, recorded_by)
VALUES (%(client_id)s, %(campaign_id)s, %(product)s, %(unit_id)s, %(site_id)s, %(doses)s, %(document)s, %(now)s, %(by)s)
ON CONFLICT (client_id) DO NOTHING;

-- name: allocated
SELECT campaign_id, product, unit_id, site_id, doses FROM allocation WHERE client_id = %(client_id)s;

-- name: allocation_left
-- What the lowest unit around a place that was allocated anything has not given on. Null: no such unit.
WITH giver AS (
    SELECT u.unit_id, u.last_id FROM allocation a JOIN unit u USING (unit_id)
    WHERE a.campaign_id = %(campaign_id)s AND a.product = %(product)s
      AND %(place)s BETWEEN u.unit_id AND u.last_id AND u.unit_id IS DISTINCT FROM %(itself)s::int
    ORDER BY u.last_id - u.unit_id LIMIT 1
)
SELECT (SELECT sum(a.doses) FROM allocation a
        WHERE a.campaign_id = %(campaign_id)s AND a.product = %(product)s AND a.unit_id = g.unit_id)
     - coalesce((SELECT sum(a.doses) FROM allocation a LEFT JOIN site s USING (site_id)
        WHERE a.campaign_id = %(campaign_id)s AND a.product = %(product)s AND a.unit_id IS DISTINCT FROM g.unit_id
          AND coalesce(a.unit_id, s.unit_id) BETWEEN g.unit_id AND g.last_id
          AND NOT EXISTS (  -- given on by a unit in between
              SELECT FROM allocation b JOIN unit m ON m.unit_id = b.unit_id
              WHERE b.campaign_id = a.campaign_id AND b.product = a.product
                AND m.unit_id BETWEEN g.unit_id AND g.last_id AND m.unit_id <> g.unit_id
                AND m.unit_id IS DISTINCT FROM a.unit_id
                AND coalesce(a.unit_id, s.unit_id) BETWEEN m.unit_id AND m.last_id)), 0)
FROM giver g;

-- name: allocations
SELECT a.product, v.name AS product_name, u.name AS unit_name, s.name AS site_name, sum(a.doses) AS doses
FROM allocation a JOIN vaccine_product v USING (product) LEFT JOIN unit u ON u.unit_id = a.unit_id LEFT JOIN site s USING (site_id)
WHERE a.campaign_id = %(campaign_id)s AND coalesce(a.unit_id, s.unit_id) <@ %(area)s::int4multirange
GROUP BY 1, 2, 3, 4, coalesce(a.unit_id, s.unit_id) ORDER BY 1, coalesce(a.unit_id, s.unit_id);

-- name: units_to_allocate
SELECT u.unit_id, u.name, u.level - top.level AS depth FROM unit u, unit top
WHERE top.unit_id = %(unit_id)s AND u.unit_id BETWEEN top.unit_id AND top.last_id AND u.unit_id <@ %(area)s::int4multirange
  AND u.valid @> %(on)s::date ORDER BY u.unit_id;

-- name: insert_session
INSERT INTO vaccination_session (client_id, campaign_id, site_id, day, kind, product, lot_number, places)
VALUES (%(client_id)s, %(campaign_id)s, %(site_id)s, %(day)s, %(kind)s, %(product)s, %(lot_number)s, %(places)s)
ON CONFLICT (client_id) DO NOTHING RETURNING session_id;

-- name: session_by_message
SELECT session_id FROM vaccination_session WHERE client_id = %(client_id)s;

-- name: session
SELECT v.*, s.code AS site, s.name AS site_name, s.unit_id, c.programme, c.vaccine_group, c.name AS campaign_name,
       c.starts_on, c.ends_on, p.name AS product_name, p.disease
FROM vaccination_session v JOIN site s USING (site_id) JOIN campaign c USING (campaign_id)
JOIN vaccine_product p USING (product)
WHERE v.session_id = %(session_id)s AND s.unit_id <@ %(area)s::int4multirange;

-- name: sessions
SELECT v.session_id, v.day, v.kind, v.places, v.closed_at, v.product, p.name AS product_name, v.lot_number,
       s.name AS site_name, c.name AS campaign_name,
       (SELECT count(*) FROM session_call k WHERE k.session_id = v.session_id) AS called
FROM vaccination_session v JOIN site s USING (site_id) JOIN campaign c USING (campaign_id)
JOIN vaccine_product p USING (product)
WHERE s.unit_id <@ %(area)s::int4multirange AND v.day BETWEEN %(first)s AND %(last)s
ORDER BY v.day, s.name, v.session_id;

-- name: lock_session
SELECT closed_at FROM vaccination_session WHERE session_id = %(session_id)s FOR UPDATE;

-- name: set_lot
UPDATE vaccination_session SET lot_number = %(lot_number)s WHERE session_id = %(session_id)s;

-- name: close_session
UPDATE vaccination_session SET closed_at = %(now)s WHERE session_id = %(session_id)s AND closed_at IS NULL;

-- name: call_people
-- Whole households, those with the foremost priority group first, then those with the oldest member, as long as all who
-- are due in a household find a place. Nobody who was called to another open session of the campaign or refused.
WITH free AS (
    SELECT v.places - (SELECT count(*) FROM session_call k
                       WHERE k.session_id = v.session_id AND k.state IN ('called', 'came')) AS places
    FROM vaccination_session v WHERE v.session_id = %(session_id)s
), taken AS (
    SELECT k.person_id FROM session_call k JOIN vaccination_session v USING (session_id)
    WHERE v.campaign_id = %(campaign_id)s
      AND (k.state = 'refused' OR k.state IN ('called', 'came') AND v.closed_at IS NULL AND v.day >= %(on)s)
), candidate AS (
    SELECT p.person_id, p.birth_date, g.dose_number, coalesce(m.household_id, -p.person_id) AS household_id,
           coalesce(r.group_number, CASE WHEN p.birth_date <= %(elder_born)s THEN %(elder_group)s ELSE %(last_group)s END)
               AS priority
    FROM due_person d JOIN due_group g USING (kind) JOIN person p USING (person_id)
    LEFT JOIN household_member m ON m.person_id = p.person_id AND upper_inf(m.valid)
    LEFT JOIN person_priority r ON r.person_id = p.person_id AND r.programme = %(programme)s
    WHERE g.vaccine_group = %(vaccine_group)s AND %(product)s = ANY (g.vaccines)
      AND p.person_id NOT IN (SELECT person_id FROM taken)
      AND (NOT %(at_home)s OR p.birth_date <= %(home_born)s OR EXISTS (
           SELECT FROM health_fact f WHERE f.person_id = p.person_id AND f.code = %(home_fact)s AND f.valid @> %(on)s::date))
), household AS (
    SELECT household_id, min(priority) AS foremost, min(birth_date) AS oldest, count(*) AS people
    FROM candidate GROUP BY household_id
), placed AS (
    SELECT household_id, sum(people) OVER (ORDER BY foremost, oldest, household_id) AS so_far FROM household
)
INSERT INTO session_call (person_id, session_id, household_id, priority, dose_number, called_at)
SELECT c.person_id, %(session_id)s, nullif(c.household_id, -c.person_id), c.priority, c.dose_number, %(now)s
FROM candidate c JOIN placed USING (household_id) WHERE placed.so_far <= (SELECT places FROM free)
ON CONFLICT (person_id, session_id) DO NOTHING
RETURNING person_id;

-- name: call_list
-- Households together, as a team calls or visits them.
SELECT k.person_id, p.name, p.birth_date, p.sex, k.priority, k.dose_number, k.state, k.walk_in, k.reason, k.invited,
       k.household_id, coalesce(h.address, '') AS address, u.name AS unit_name, c.value AS phone
FROM session_call k JOIN person p USING (person_id) JOIN unit u ON u.unit_id = p.present_unit
LEFT JOIN household h ON h.household_id = k.household_id
LEFT JOIN contact_point c ON c.person_id = k.person_id AND c.system = 'phone'
WHERE k.session_id = %(session_id)s
ORDER BY min(k.priority) OVER (PARTITION BY coalesce(k.household_id, -k.person_id)), u.name, h.address, k.household_id,
         p.birth_date;

-- name: set_call_state
UPDATE session_call SET state = %(state)s, reason = %(reason)s
WHERE session_id = %(session_id)s AND person_id = %(person_id)s AND state <> 'came';

-- name: walk_in
INSERT INTO session_call (person_id, session_id, household_id, priority, state, walk_in, called_at)
SELECT p.person_id, %(session_id)s, m.household_id, %(priority)s, 'called', true, %(now)s
FROM person p LEFT JOIN household_member m ON m.person_id = p.person_id AND upper_inf(m.valid)
WHERE p.person_id = %(person_id)s AND p.merged_into IS NULL
ON CONFLICT (person_id, session_id) DO NOTHING;

-- name: queue_invitations
-- Those who were called and not yet invited; with an e-mail address by e-mail, the others by letter.
UPDATE session_call k SET invited = 'queued', invited_by = CASE WHEN EXISTS (
    SELECT FROM contact_point c WHERE c.person_id = k.person_id AND c.system = 'email') THEN 'email' ELSE 'letter' END
WHERE k.session_id = %(session_id)s AND k.state = 'called' AND (k.invited IS NULL OR k.invited = 'failed');

-- name: queued_invitations
SELECT k.person_id, p.name, k.invited_by, c.value AS email, coalesce(h.address, '') AS address, u.name AS unit_name,
       v.day, s.name AS site_name, pr.name AS product_name, k.dose_number
FROM session_call k JOIN person p USING (person_id) JOIN unit u ON u.unit_id = p.present_unit
JOIN vaccination_session v USING (session_id) JOIN site s USING (site_id) JOIN vaccine_product pr USING (product)
LEFT JOIN household h ON h.household_id = k.household_id
LEFT JOIN contact_point c ON c.person_id = k.person_id AND c.system = 'email' AND c.value <> ''
WHERE k.session_id = %(session_id)s AND k.invited = 'queued' ORDER BY k.household_id, k.person_id;

-- name: invited
UPDATE session_call SET invited = %(result)s WHERE session_id = %(session_id)s AND person_id = ANY (%(people)s);

-- name: door_to_door
-- Households with people who are due, for the first dose only or for any: one row a person and group.
SELECT p.person_id, p.name, p.birth_date, p.sex, coalesce(h.address, '') AS address, m.household_id, u.name AS unit_name,
       g.vaccine_group, g.dose_number, g.dose_kind, g.vaccines, g.past_due, c.value AS phone
FROM due_person d JOIN due_group g USING (kind) JOIN person p USING (person_id) JOIN unit u ON u.unit_id = p.present_unit
LEFT JOIN household_member m ON m.person_id = p.person_id AND upper_inf(m.valid)
LEFT JOIN household h USING (household_id)
LEFT JOIN contact_point c ON c.person_id = p.person_id AND c.system = 'phone'
WHERE (%(vaccine_group)s::text IS NULL OR g.vaccine_group = %(vaccine_group)s) AND (g.dose_number = 1 OR NOT %(first_only)s)
  AND (NOT %(at_home)s OR p.birth_date <= %(home_born)s OR EXISTS (
       SELECT FROM health_fact f WHERE f.person_id = p.person_id AND f.code = %(home_fact)s AND f.valid @> %(on)s::date))
ORDER BY u.unit_id, h.address, m.household_id, p.birth_date, p.person_id, g.vaccine_group;

-- name: due_by_unit
-- After who is due was found: how many live in each commune.
SELECT p.present_unit AS unit_id, count(DISTINCT p.person_id) AS due
FROM due_person d JOIN due_group g USING (kind) JOIN person p USING (person_id)
WHERE g.vaccine_group = %(vaccine_group)s GROUP BY 1;

-- name: sessions_of_campaign
SELECT v.session_id, v.day, v.kind, v.places, v.closed_at, v.product, p.name AS product_name, v.lot_number, s.name AS site_name,
       s.unit_id
FROM vaccination_session v JOIN site s USING (site_id) JOIN vaccine_product p USING (product)
WHERE v.campaign_id = %(campaign_id)s AND s.unit_id <@ %(area)s::int4multirange ORDER BY v.day DESC, s.name, v.session_id;

-- name: stock_by_unit
SELECT s.unit_id, sum(k.doses) AS doses FROM stock k JOIN site s USING (site_id) JOIN lot l USING (product, lot_number)
JOIN vaccine_product p USING (product)
WHERE s.unit_id <@ %(area)s::int4multirange AND p.disease = %(disease)s AND l.blocked_on IS NULL AND l.expires_on >= %(on)s
GROUP BY 1;

-- name: disease_of_group
SELECT disease FROM vaccine_product WHERE product = ANY (%(products)s) LIMIT 1;
