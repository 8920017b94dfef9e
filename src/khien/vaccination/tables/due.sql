-- What "who is due" keeps of each person's past, so that a province is not read dose by dose every time it is asked for.
-- All of it is derived from person, dose and the programme's file, and may be emptied at any time: it is built again.

CREATE TABLE due_programme (             -- programmes that were asked for
    programme_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    programme    text NOT NULL UNIQUE,   -- rulebook/programmes
    rules        text NOT NULL,          -- digest of every length and day that its rules compare with
    revision     integer NOT NULL DEFAULT 1,          -- one more each time the digest changes
    seen_until   timestamptz NOT NULL    -- every dose changed before it is in due.history, where that has its person
);

CREATE TABLE due_day (                   -- a day on which doses were given, and what its gaps and ages are compared with
    programme_id integer NOT NULL,
    revision     integer NOT NULL,
    day          date NOT NULL,
    births       date[] NOT NULL,        -- somebody born on or after one is still younger than a limit of age
    starts       date[] NOT NULL,        -- an interval that began on or after one is still shorter than a limit
    PRIMARY KEY (programme_id, revision, day)
);

-- Reached through functions alone (functions.sql), which run with the nation's scope: it is joined with a whole province at
-- once, and a policy that asked about each person would decide the plan.
CREATE SCHEMA due;
CREATE TABLE due.history (               -- what the programme's rules can tell of a person's past
    person_id    bigint NOT NULL,
    programme_id integer NOT NULL,
    revision     integer NOT NULL,
    birth_date   date NOT NULL,          -- with which it was reckoned: a corrected one calls for a new row
    doubles      bigint NOT NULL,        -- the records merged into the person, each bit the parity of their numbers'
    past         bigint NOT NULL,        -- equal for people whose doses no rule can tell apart
    days         date[] NOT NULL,        -- of the doses that stand
    PRIMARY KEY (programme_id, person_id)
);
