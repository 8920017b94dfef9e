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
            f.exposures::json,
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
-- `half` 0 or 1, for depth 2 without `keep`: follow one half of the first degree, for another session follows the other at the
-- same time (0 answers for the first degree too). A row without a person and without cuts (`[]`) says that it was done so. It
-- is not where the halves would not add up to what one search finds (crowds were cut) or are too small: then 0 is the whole
-- search, and 1 nothing.
DROP FUNCTION IF EXISTS  -- earlier forms
    trace_search(bigint[], bigint[], timestamptz[], timestamptz[], date[], timestamptz, integer, jsonb, text),
    trace_contacts(bigint[], bigint[], timestamptz[], timestamptz[], date[], timestamptz, integer, jsonb, text);
CREATE OR REPLACE FUNCTION trace_search(
    persons bigint[], cases bigint[], starts timestamptz[], ends timestamptz[], onsets date[], moment timestamptz,
    depth integer, rule jsonb, keep text, half integer
) RETURNS TABLE (degree integer, case_person_id bigint, via_person_id bigint, person_id bigint, score double precision,
                 seconds bigint, first_at timestamptz, last_at timestamptz, exposures text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET khien.area = '{(,)}'
    SET work_mem = '128MB' SET jit = off AS $$
#variable_conflict use_column
DECLARE
    v_level integer;
    v_batch integer := (rule ->> 'sources_at_a_time')::integer;
    v_latent interval := make_interval(hours => (rule ->> 'latent_hours')::integer);
    v_most integer := (rule ->> 'most_sources')::integer;
    v_sources bigint[] := persons;
    v_owners bigint[] := persons;
    v_starts timestamptz[] := starts;
    v_ends timestamptz[] := ends;
    v_onsets date[] := onsets;
    v_known bigint[] := '{}';
    v_crowded bigint[] := '{}';
    v_budget integer := least((rule ->> 'most_exposures')::integer
        + (rule ->> 'exposures_a_case')::integer * cardinality(persons), (rule ->> 'most_exposures_in_all')::integer);
    v_batches bigint[] := ARRAY(SELECT (n - 1) / v_batch FROM generate_subscripts(persons, 1) n);
    v_found bigint;
    v_first integer;
    v_last integer;
    v_share integer;
    v_earliest timestamptz;
    -- Of this degree: who, of which case, how likely, met when first; and where crowds were cut.
    v_person bigint[];
    v_owner bigint[];
    v_score double precision[];
    v_met timestamptz[];
    v_cut bigint[];
BEGIN
    FOR v_level IN 1..depth LOOP
        v_person := '{}'; v_owner := '{}'; v_score := '{}'; v_met := '{}'; v_cut := '{}';
        v_last := 0;
        WHILE v_last < cardinality(v_sources) LOOP  -- some cases at a time: what they need stays in memory
            v_first := v_last + 1;
            v_last := v_last + 1;
            WHILE v_batches[v_last + 1] = v_batches[v_first] LOOP
                v_last := v_last + 1;
            END LOOP;
            v_share := ceil(v_budget::float8 * (v_last - v_first + 1) / cardinality(v_sources));
            IF v_level = depth AND keep IS NULL THEN  -- straight to the asker
                RETURN QUERY SELECT f.degree, f.case_person_id, f.via_person_id, f.person_id, f.score, f.seconds, f.first_at,
                    f.last_at, f.exposures
                FROM trace_level(v_level, false, v_sources[v_first:v_last], v_owners[v_first:v_last], v_starts[v_first:v_last],
                                 v_ends[v_first:v_last], v_onsets[v_first:v_last], rule, v_known, v_crowded, v_share) f;
                CONTINUE;
            END IF;
            FOR degree, case_person_id, via_person_id, person_id, score, seconds, first_at, last_at, exposures, v_earliest IN
                SELECT * FROM trace_level(v_level, v_level < depth, v_sources[v_first:v_last], v_owners[v_first:v_last],
                                          v_starts[v_first:v_last], v_ends[v_first:v_last], v_onsets[v_first:v_last], rule,
                                          v_known, v_crowded, v_share) WHERE keep IS NULL
                UNION ALL
                SELECT * FROM trace_kept(v_level, v_level < depth, v_sources[v_first:v_last], v_owners[v_first:v_last],
                                         v_starts[v_first:v_last], v_ends[v_first:v_last], v_onsets[v_first:v_last], rule,
                                         v_known, v_crowded, v_share, persons, cases, moment, keep) WHERE keep IS NOT NULL
            LOOP
                IF half IS DISTINCT FROM 1 THEN
                    RETURN NEXT;
                END IF;
                IF person_id IS NULL THEN
                    v_cut := v_cut || ARRAY(SELECT (e ->> 'place')::bigint FROM json_array_elements(exposures::json) e
                                            WHERE e ->> 'cut' IN ('crowd', 'read'));
                ELSIF v_level < depth THEN
                    v_person := v_person || person_id;
                    v_owner := v_owner || case_person_id;
                    v_score := v_score || score;
                    v_met := v_met || v_earliest;
                END IF;
            END LOOP;
        END LOOP;
        EXIT WHEN v_level = depth;
        v_crowded := v_crowded || v_cut;
        IF v_level = 1 THEN  -- cases are nobody's contacts of a further degree
            v_known := persons;
        END IF;
        WITH next AS (
            SELECT DISTINCT ON (f.person_id) f.person_id, f.case_person_id, f.score,
                min(f.met) OVER (PARTITION BY f.person_id) + v_latent AS start
            FROM unnest(v_person, v_owner, v_score, v_met) AS f (person_id, case_person_id, score, met)
            WHERE f.person_id <> ALL (v_known)
            ORDER BY f.person_id, f.score DESC, f.case_person_id
        ), likely AS (
            SELECT * FROM next ORDER BY score DESC, person_id LIMIT v_most
        ), batch AS (
            SELECT l.*, count(*) OVER (ORDER BY l.case_person_id) / v_batch AS batch FROM likely l  -- a case is in one
        )
        SELECT array_agg(b.person_id ORDER BY b.batch, b.score DESC, b.person_id),
            array_agg(b.case_person_id ORDER BY b.batch, b.score DESC, b.person_id),
            array_agg(b.start ORDER BY b.batch, b.score DESC, b.person_id),
            array_agg(b.batch ORDER BY b.batch, b.score DESC, b.person_id), array_agg(moment), array_agg(NULL::date),
            v_known || (SELECT array_agg(n.person_id) FROM next n), (SELECT count(*) FROM next n)
        INTO v_sources, v_owners, v_starts, v_batches, v_ends, v_onsets, v_known, v_found FROM batch b;
        IF half IS NOT NULL AND depth = 2 AND keep IS NULL AND cardinality(v_crowded) = 0
           AND cardinality(v_sources) >= (rule ->> 'halves_from')::integer THEN
            RETURN QUERY SELECT 2, persons[1], NULL::bigint, NULL::bigint, NULL::float8, NULL::bigint, NULL::timestamptz,
                NULL::timestamptz, '[]';
            -- By the person's number, so that nobody is lost between two sessions that see different moments.
            SELECT array_agg(s ORDER BY n), array_agg(o ORDER BY n), array_agg(a ORDER BY n), array_agg(t ORDER BY n),
                array_agg(b ORDER BY n), array_agg(NULL::date), ceil(v_budget::float8 * count(*) / cardinality(v_sources))
            INTO v_sources, v_owners, v_starts, v_batches, v_ends, v_onsets, v_budget
            FROM unnest(v_sources, v_owners, v_starts, v_batches, v_ends) WITH ORDINALITY AS f (s, o, a, t, b, n)
            WHERE mod(s, 2) = half;
        ELSIF half = 1 THEN
            RETURN;
        END IF;
        EXIT WHEN v_sources IS NULL;
        IF v_found > v_most AND half IS DISTINCT FROM 1 THEN
            RETURN QUERY SELECT v_level, persons[1], NULL::bigint, NULL::bigint, NULL::float8, NULL::bigint,
                NULL::timestamptz, NULL::timestamptz,
                json_build_array(json_build_object('cut', 'sources', 'total', v_found))::text;
        END IF;
    END LOOP;
END $$;

-- The door to the search: asks whether every case is open and visible to the asker, then searches the nation.
CREATE OR REPLACE FUNCTION trace_contacts(
    persons bigint[], cases bigint[], starts timestamptz[], ends timestamptz[], onsets date[], moment timestamptz,
    depth integer, rule jsonb, keep text, half integer
) RETURNS TABLE (degree integer, case_person_id bigint, via_person_id bigint, person_id bigint, score double precision,
                 seconds bigint, first_at timestamptz, last_at timestamptz, exposures text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF keep IS NOT NULL THEN  -- two traces of a case write the same contacts, each in an order of its own: one at a time
        PERFORM FROM case_report r JOIN unnest(persons, cases) AS t (p, c) ON r.person_id = t.p AND r.case_id = t.c
        ORDER BY r.person_id, r.case_id FOR NO KEY UPDATE OF r;
    END IF;
    IF (SELECT count(*) FROM unnest(persons, cases) AS t (p, c)
        JOIN case_report r ON r.person_id = t.p AND r.case_id = t.c
        WHERE r.state IN ('suspected', 'probable', 'confirmed')) < cardinality(persons) THEN
        RAISE insufficient_privilege USING MESSAGE = 'a trace needs an open case in the area';
    END IF;
    RETURN QUERY SELECT * FROM trace_search(persons, cases, starts, ends, onsets, moment, depth, rule, keep, half);
END $$;

GRANT EXECUTE ON FUNCTION
    trace_contacts(bigint[], bigint[], timestamptz[], timestamptz[], date[], timestamptz, integer, jsonb, text, integer)
    TO khien_app, khien_loader;
