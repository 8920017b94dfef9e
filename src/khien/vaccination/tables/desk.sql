-- One person's way through one session: screened, consented, vaccinated, observed. Undone doses leave their trace in `dose`
-- (superseded) and in the access log; the row says how things stand.
CREATE TABLE desk_visit (
    person_id     bigint NOT NULL,
    session_id    bigint NOT NULL REFERENCES vaccination_session,
    form          text NOT NULL,         -- rulebook/vaccination/screening.toml
    answers       jsonb NOT NULL,        -- by criterion; only what was said or measured
    outcome       text NOT NULL CHECK (outcome IN ('eligible', 'caution', 'postpone', 'contraindicated')),
    reasons       text[] NOT NULL,
    screened_at   timestamptz NOT NULL,
    screened_by   bigint,
    consent       text CHECK (consent IN ('self', 'guardian', 'refused')),
    guardian_name text NOT NULL DEFAULT '',
    dose_id       bigint,
    given_at      timestamptz,
    observe_until timestamptz,
    left_at       timestamptz,
    left_state    text CHECK (left_state IN ('well', 'reaction')),
    PRIMARY KEY (person_id, session_id),
    CHECK ((dose_id IS NULL) = (observe_until IS NULL))
);
CREATE INDEX desk_visit_session ON desk_visit (session_id);
