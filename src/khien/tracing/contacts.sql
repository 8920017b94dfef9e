-- The contacts of cases, degree by degree. Run after every migration, after search.sql.

-- One degree: what each source had with others, with the case the source belongs to. Somebody met through several people
-- is one contact of a case: through whom the score is highest.
DROP FUNCTION IF EXISTS trace_level(integer, bigint[], bigint[], bigint[], timestamptz[], timestamptz[], date[], jsonb,
                                    bigint[], bigint[], integer);  -- an earlier form
CREATE OR REPLACE FUNCTION trace_level(
    level integer, deeper boolean, sources bigint[], owners bigint[], starts timestamptz[], ends timestamptz[], onsets date[],
    rule jsonb, known bigint[], crowded bigint[], most_found integer
) RETURNS TABLE (degree integer, case_person_id bigint, via_person_id bigint, person_id bigint, score double precision,
                 seconds bigint, first_at timestamptz, last_at timestamptz, exposures text, earliest timestamptz)
    LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (o.case_person_id, s.person_id, CASE WHEN s.person_id IS NULL THEN s.source_id END)
        level, o.case_person_id, CASE WHEN level > 1 THEN s.source_id END, s.person_id, 1 - exp(-s.hazard), s.seconds,
        s.from_at, s.until_at, s.exposures, s.earliest
    FROM trace_step(sources, starts, ends, onsets, rule, known, crowded, most_found, level > 1, deeper) s
    JOIN unnest(sources, owners) AS o (source_id, case_person_id) USING (source_id)
    ORDER BY o.case_person_id, s.person_id, CASE WHEN s.person_id IS NULL THEN s.source_id END, s.hazard DESC, s.source_id
$$;

-- The same, written down wherever those people live: their communes' work lists show them.
CREATE OR REPLACE FUNCTION trace_kept(
    level integer, deeper boolean, sources bigint[], owners bigint[], starts timestamptz[], ends timestamptz[], onsets date[],
    rule jsonb, known bigint[], crowded bigint[], most_found integer, persons bigint[], cases bigint[], moment timestamptz,
    keep text
) RETURNS TABLE (degree integer, case_person_id bigint, via_person_id bigint, person_id bigint, score double precision,
                 seconds bigint, first_at timestamptz, last_at timestamptz, exposures text, earliest timestamptz)
    LANGUAGE sql SET timezone = 'UTC' AS $$
    WITH best AS MATERIALIZED (
        SELECT * FROM trace_level(level, deeper, sources, owners, starts, ends, onsets, rule, known, crowded, most_found)
    ), kept AS (
        INSERT INTO contact AS c (person_id, case_person_id, case_id, degree, via_person_id, score, seconds, first_at,
            last_at, exposures, rule, state, traced_at)
        SELECT f.person_id, f.case_person_id, o.case_id, f.degree, f.via_person_id, f.score, f.seconds, f.first_at, f.last_at,
            (SELECT jsonb_agg(jsonb_build_object('kind', e -> 0, 'place', e -> 1,
                                  'from', timestamptz 'epoch' + (e ->> 2)::bigint * interval '1 microsecond',
                                  'until', timestamptz 'epoch' + (e ->> 3)::bigint * interval '1 microsecond',
                                  'seconds', e -> 4) ORDER BY n)
             FROM json_array_elements(f.exposures::json) WITH ORDINALITY AS e (e, n)),
            keep,
            CASE WHEN EXISTS (SELECT FROM case_report r WHERE r.person_id = f.person_id
                              AND r.state IN ('suspected', 'probable', 'confirmed')) THEN 'case' ELSE 'listed' END, moment
        FROM best f JOIN unnest(persons, cases) AS o (case_person_id, case_id) USING (case_person_id)
        WHERE f.person_id IS NOT NULL
        ON CONFLICT (person_id, case_person_id, case_id) DO UPDATE SET degree = excluded.degree,
            via_person_id = excluded.via_person_id, score = excluded.score, seconds = excluded.seconds,
            first_at = excluded.first_at, last_at = excluded.last_at, exposures = excluded.exposures,
            rule = excluded.rule, traced_at = excluded.traced_at,
            state = CASE WHEN c.state = 'withdrawn' THEN 'listed' ELSE c.state END
    )
    SELECT * FROM best
$$;

-- From cases to their contacts of degree 1 to `depth`, all at once. Every case must be open and visible to whoever asks:
-- the check runs with the asker's area, the search with the nation's. `keep`, the id of the contact rule, writes the
-- contacts down. Cuts come as rows without a person, `exposures` saying what was cut. Degree 2 and more are sought once for
-- all cases: through the contact of the highest score. `exposures` is JSON text: it is passed on, seldom looked into.
DROP FUNCTION IF EXISTS
    trace_search(bigint[], bigint[], timestamptz[], timestamptz[], date[], timestamptz, integer, jsonb, text),
    trace_contacts(bigint[], bigint[], timestamptz[], timestamptz[], date[], timestamptz, integer, jsonb, text);
CREATE FUNCTION trace_search(
    persons bigint[], cases bigint[], starts timestamptz[], ends timestamptz[], onsets date[], moment timestamptz,
    depth integer, rule jsonb, keep text
) RETURNS TABLE (degree integer, case_person_id bigint, via_person_id bigint, person_id bigint, score double precision,
                 seconds bigint, first_at timestamptz, last_at timestamptz, exposures text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET khien.area = '{(,)}'
    SET work_mem = '128MB' SET jit = off AS $$
#variable_conflict use_column
DECLARE
    v_level integer;
    v_latent interval := make_interval(hours => (rule ->> 'latent_hours')::integer);
    v_most integer := (rule ->> 'most_sources')::integer;
    v_sources bigint[] := persons;
    v_owners bigint[] := persons;
    v_starts timestamptz[] := starts;
    v_ends timestamptz[] := ends;
    v_onsets date[] := onsets;
    v_known bigint[] := '{}';
    v_crowded bigint[] := '{}';
    v_budget integer := (rule ->> 'most_exposures')::integer
        + (rule ->> 'exposures_a_case')::integer * cardinality(persons);
    v_found bigint;
    v_earliest timestamptz;
    -- Of this degree: who, of which case, how likely, met when first.
    v_person bigint[];
    v_owner bigint[];
    v_score double precision[];
    v_met timestamptz[];
BEGIN
    FOR v_level IN 1..depth LOOP
        IF v_level = depth AND keep IS NULL THEN  -- straight to the asker
            RETURN QUERY SELECT f.degree, f.case_person_id, f.via_person_id, f.person_id, f.score, f.seconds, f.first_at,
                f.last_at, f.exposures
            FROM trace_level(v_level, false, v_sources, v_owners, v_starts, v_ends, v_onsets, rule, v_known, v_crowded,
                             v_budget) f;
            RETURN;
        END IF;
        v_person := '{}'; v_owner := '{}'; v_score := '{}'; v_met := '{}';
        FOR degree, case_person_id, via_person_id, person_id, score, seconds, first_at, last_at, exposures, v_earliest IN
            SELECT * FROM trace_level(v_level, v_level < depth, v_sources, v_owners, v_starts, v_ends, v_onsets, rule, v_known,
                                      v_crowded, v_budget) f WHERE keep IS NULL
            UNION ALL
            SELECT * FROM trace_kept(v_level, v_level < depth, v_sources, v_owners, v_starts, v_ends, v_onsets, rule, v_known,
                                     v_crowded, v_budget, persons, cases, moment, keep) f WHERE keep IS NOT NULL
        LOOP
            IF person_id IS NOT NULL THEN
                v_person := v_person || person_id;
                v_owner := v_owner || case_person_id;
                v_score := v_score || score;
                v_met := v_met || v_earliest;
            ELSE
                v_crowded := v_crowded || ARRAY(SELECT (e ->> 'place')::bigint FROM json_array_elements(exposures::json) e
                                                WHERE e ->> 'cut' IN ('crowd', 'read'));
            END IF;
            RETURN NEXT;
        END LOOP;
        EXIT WHEN v_level = depth;
        IF v_level = 1 THEN  -- cases are nobody's contacts of a further degree
            v_known := persons;
        END IF;
        SELECT array_agg(n.person_id), array_agg(n.case_person_id), array_agg(n.met + v_latent), array_agg(moment),
            array_agg(NULL::date), count(*)
        INTO v_sources, v_owners, v_starts, v_ends, v_onsets, v_found
        FROM (
            SELECT b.* FROM (
                SELECT DISTINCT ON (f.person_id) f.person_id, f.case_person_id, f.score, f.met
                FROM unnest(v_person, v_owner, v_score, v_met) AS f (person_id, case_person_id, score, met)
                WHERE f.person_id <> ALL (v_known)
                ORDER BY f.person_id, f.score DESC, f.case_person_id
            ) b ORDER BY b.score DESC, b.person_id
        ) n;
        EXIT WHEN v_sources IS NULL;
        v_known := v_known || v_sources;
        IF v_found > v_most THEN
            RETURN QUERY SELECT v_level, persons[1], NULL::bigint, NULL::bigint, NULL::float8, NULL::bigint,
                NULL::timestamptz, NULL::timestamptz,
                json_build_array(json_build_object('cut', 'sources', 'total', v_found))::text;
            v_sources := v_sources[:v_most];
            v_owners := v_owners[:v_most];
            v_starts := v_starts[:v_most];
            v_ends := v_ends[:v_most];
            v_onsets := v_onsets[:v_most];
        END IF;
    END LOOP;
END $$;

-- The door to the search: asks whether every case is open and visible to the asker, then searches the nation.
CREATE FUNCTION trace_contacts(
    persons bigint[], cases bigint[], starts timestamptz[], ends timestamptz[], onsets date[], moment timestamptz,
    depth integer, rule jsonb, keep text
) RETURNS TABLE (degree integer, case_person_id bigint, via_person_id bigint, person_id bigint, score double precision,
                 seconds bigint, first_at timestamptz, last_at timestamptz, exposures text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (SELECT count(*) FROM unnest(persons, cases) AS t (p, c)
        JOIN case_report r ON r.person_id = t.p AND r.case_id = t.c
        WHERE r.state IN ('suspected', 'probable', 'confirmed')) < cardinality(persons) THEN
        RAISE insufficient_privilege USING MESSAGE = 'a trace needs an open case in the area';
    END IF;
    RETURN QUERY SELECT * FROM trace_search(persons, cases, starts, ends, onsets, moment, depth, rule, keep);
END $$;

GRANT EXECUTE ON FUNCTION
    trace_contacts(bigint[], bigint[], timestamptz[], timestamptz[], date[], timestamptz, integer, jsonb, text)
    TO khien_app, khien_loader;
