-- name: demo_day
-- The day a demonstration plays on; null where real days count.
SELECT demo_on FROM clock
