-- Figures of vaccination that count people without naming them: run with the nation's scope, because people from elsewhere
-- come to a session too, and a balance that leaves them out is wrong. They give out no identity.

CREATE OR REPLACE FUNCTION vaccination_session_doses(of_session bigint)
RETURNS TABLE (product text, lot_number text, doses bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET khien.area = '{(,)}' SET khien.purpose = 'vaccination' AS $$
    SELECT d.product, d.lot_number, count(*) FROM desk_visit v
    JOIN dose d ON d.person_id = v.person_id AND d.dose_id = v.dose_id
    WHERE v.session_id = of_session AND d.status = 'completed' AND d.superseded_by IS NULL
    GROUP BY 1, 2;
$$;

CREATE OR REPLACE FUNCTION vaccination_session_figures(of_sessions bigint[])
RETURNS TABLE (session_id bigint, called bigint, walk_in bigint, refused bigint, unreachable bigint, screened bigint,
               postponed bigint, given bigint, observed bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET khien.area = '{(,)}' SET khien.purpose = 'vaccination' AS $$
    SELECT s.session_id, coalesce(k.called, 0), coalesce(k.walk_in, 0), coalesce(k.refused, 0), coalesce(k.unreachable, 0),
           coalesce(v.screened, 0), coalesce(v.postponed, 0), coalesce(v.given, 0), coalesce(v.observed, 0)
    FROM unnest(of_sessions) AS s (session_id)
    LEFT JOIN (SELECT c.session_id, count(*) FILTER (WHERE NOT c.walk_in) AS called, count(*) FILTER (WHERE c.walk_in) AS walk_in,
                      count(*) FILTER (WHERE c.state = 'refused') AS refused,
                      count(*) FILTER (WHERE c.state = 'unreachable') AS unreachable
               FROM session_call c WHERE c.session_id = ANY (of_sessions) GROUP BY 1) k USING (session_id)
    LEFT JOIN (SELECT d.session_id, count(*) AS screened,
                      count(*) FILTER (WHERE d.outcome IN ('postpone', 'contraindicated')) AS postponed,
                      count(d.dose_id) AS given,
                      count(*) FILTER (WHERE d.dose_id IS NOT NULL AND d.left_at IS NULL) AS observed
               FROM desk_visit d WHERE d.session_id = ANY (of_sessions) GROUP BY 1) v USING (session_id);
$$;
GRANT EXECUTE ON FUNCTION vaccination_session_doses(bigint), vaccination_session_figures(bigint[]) TO khien_app, khien_loader;

CREATE OR REPLACE FUNCTION vaccination_lot_events(of_product text DEFAULT NULL)
RETURNS TABLE (product text, lot_number text, doses bigint, events bigint, serious bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET khien.area = '{(,)}' SET khien.purpose = 'vaccination' AS $$
    WITH given AS (
        SELECT d.product, d.lot_number, count(*) AS doses FROM dose d
        WHERE d.lot_number IS NOT NULL AND d.status = 'completed' AND d.superseded_by IS NULL AND d.evidence = 'site'
          AND (of_product IS NULL OR d.product = of_product) GROUP BY 1, 2
    ), followed AS (
        SELECT d.product, d.lot_number, count(*) AS events, count(*) FILTER (WHERE e.seriousness <> '{}') AS serious
        FROM adverse_event e JOIN dose d ON d.person_id = e.person_id AND d.dose_id = e.dose_id
        WHERE d.lot_number IS NOT NULL AND d.evidence = 'site' AND d.status = 'completed' AND d.superseded_by IS NULL
        GROUP BY 1, 2
    )
    SELECT g.product, g.lot_number, g.doses, coalesce(f.events, 0), coalesce(f.serious, 0)
    FROM given g LEFT JOIN followed f USING (product, lot_number);
$$;
GRANT EXECUTE ON FUNCTION vaccination_lot_events(text) TO khien_app, khien_loader;
