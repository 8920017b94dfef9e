-- Registers made before a fact about health could be taken back.
ALTER TABLE health_fact DROP CONSTRAINT IF EXISTS health_fact_valid_check;
