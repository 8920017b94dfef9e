-- One row a person for coverage: no name, no identifier. All people, or only those that changed since a moment.
-- Runs with the nation's scope, so that figures are about everybody, whoever asks; it gives out no identity.
CREATE OR REPLACE FUNCTION coverage_rows(of_disease text, since timestamptz DEFAULT NULL)
RETURNS TABLE (person_id bigint, home_unit integer, present_unit integer, birth_date date, sex text, died_on date,
               dose1_on date, dose2_on date, dose3_on date, dose4_on date, complete_on date, merged boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET khien.area = '{(,)}' SET khien.purpose = 'coverage' AS $$
    WITH changed AS (
        SELECT p.person_id FROM person p WHERE p.changed_at >= since
        UNION
        SELECT d.person_id FROM dose d WHERE d.changed_at >= since
    ), counted AS (
        SELECT d.person_id, d.given_on, v.primary_doses,
               row_number() OVER (PARTITION BY d.person_id ORDER BY d.given_on, d.dose_id) AS nth
        FROM dose d JOIN vaccine_product v USING (product)
        WHERE v.disease = of_disease AND d.status = 'completed' AND d.superseded_by IS NULL AND d.counts
          AND d.evidence <> 'declared'
          AND (since IS NULL OR d.person_id IN (SELECT c.person_id FROM changed c))
    ), per_person AS (
        SELECT c.person_id,
               min(c.given_on) FILTER (WHERE nth = 1) AS dose1_on,
               min(c.given_on) FILTER (WHERE nth = 2) AS dose2_on,
               min(c.given_on) FILTER (WHERE nth = 3) AS dose3_on,
               min(c.given_on) FILTER (WHERE nth = 4) AS dose4_on,
               min(c.given_on) FILTER (WHERE nth >= primary_doses) AS complete_on
        FROM counted c GROUP BY c.person_id
    )
    SELECT p.person_id, p.home_unit, p.present_unit, p.birth_date, p.sex, p.died_on,
           d.dose1_on, d.dose2_on, d.dose3_on, d.dose4_on, d.complete_on, p.merged_into IS NOT NULL
    FROM person p LEFT JOIN per_person d USING (person_id)
    WHERE since IS NULL AND p.merged_into IS NULL
       OR p.person_id IN (SELECT c.person_id FROM changed c);
$$;
GRANT EXECUTE ON FUNCTION coverage_rows(text, timestamptz) TO khien_app, khien_loader;
