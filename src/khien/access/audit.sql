-- What an auditor asks the log. Under the policies of whoever asks.

-- name: log
-- Calls (links of the log) in a span of time, newest first: who did what for which purpose, about how many people; of one
-- person, account, agency, action or purpose where they are given.
SELECT l.at, l.lane, l.seq, l.action, l.purpose, l.account_id, a.name AS account, a.username, g.name AS agency,
    l.account_id IS NULL AS machine, count(l.person_id) AS persons, min(l.person_id) AS person_id,
    min(l.detail::text)::jsonb AS detail
FROM access_log l LEFT JOIN account a ON a.id = l.account_id LEFT JOIN agency g ON g.id = l.agency_id
WHERE l.at >= %(since)s AND l.at < least(%(until)s::timestamptz, %(before)s::timestamptz)
  AND (%(action)s::text IS NULL OR l.action = %(action)s::text)
  AND (%(purpose)s::text IS NULL OR l.purpose = %(purpose)s::text)
  AND (%(username)s::text IS NULL OR a.username = %(username)s::text)
  AND (%(person_id)s::bigint IS NULL OR l.person_id = %(person_id)s::bigint)
GROUP BY l.at, l.lane, l.seq, l.action, l.purpose, l.account_id, a.name, a.username, g.name
ORDER BY l.at DESC, l.lane, l.seq LIMIT %(limit)s;

-- name: of_number
-- Whom a number belongs or belonged to; nobody where it is two people's.
SELECT min(person_id) FROM identifier WHERE value = %(number)s HAVING count(DISTINCT person_id) = 1;

-- name: log_day
SELECT (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
