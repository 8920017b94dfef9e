-- name: checksums_off
SELECT 'data_checksums' AS object WHERE current_setting('data_checksums') <> 'on';

-- name: checksum_failures
SELECT datname || ': ' || checksum_failures AS object
  FROM pg_stat_database WHERE datname = current_database() AND checksum_failures > 0;

-- name: not_durable
SELECT name AS object FROM pg_settings
 WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off';

-- name: row_security_not_forced
-- Every table that names a person, and every partition of one that somebody but the owner may touch directly. What is
-- being loaded has no policies yet: it stands in a schema of its own, and counts only if others than the loader may touch it.
SELECT c.oid::regclass::text AS object
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_'
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'person_id' AND NOT a.attisdropped
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
   AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
   AND (NOT c.relispartition OR EXISTS (
        SELECT FROM aclexplode(c.relacl) g WHERE g.grantee <> c.relowner))
   AND (n.nspname <> 'loading' OR EXISTS (
        SELECT FROM aclexplode(c.relacl) g WHERE g.grantee NOT IN (c.relowner, 'khien_loader'::regrole)))
 ORDER BY 1;

-- name: row_security_without_policy
SELECT c.oid::regclass::text AS object
  FROM pg_class c
 WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND NOT c.relispartition
   AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
 ORDER BY 1;

-- name: constraint_not_validated
SELECT conrelid::regclass || '.' || conname AS object
  FROM pg_constraint
 WHERE conrelid <> 0 AND NOT (convalidated AND conenforced)
 ORDER BY 1;

-- name: index_invalid
SELECT indexrelid::regclass::text AS object FROM pg_index WHERE NOT (indisvalid AND indisready) ORDER BY 1;

-- name: role_too_strong
SELECT rolname AS object FROM pg_roles
 WHERE (rolname IN ('khien_app', 'khien_door', 'khien_owner') AND (rolsuper OR rolbypassrls))
    OR (rolname = 'khien_loader' AND rolsuper)
    OR (rolname IN ('khien_checker', 'khien_tracer') AND (rolsuper OR rolcanlogin))
 ORDER BY 1;

-- name: table_of_wrong_owner
SELECT c.oid::regclass::text AS object
  FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
 WHERE c.relkind IN ('r', 'p', 'v', 'm') AND r.rolname IN ('khien_app', 'khien_door', 'khien_loader')
   AND c.relpersistence <> 't'
 ORDER BY 1;

-- name: open_to_all
SELECT nspname AS object FROM pg_namespace
 WHERE nspname = 'public' AND EXISTS (
        SELECT FROM aclexplode(nspacl) g WHERE g.grantee = 0 AND g.privilege_type = 'CREATE');
