"""Checks of the whole file and the one merge, as set-based statements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, LiteralString

from khien.core.session import Session
from khien.core.sql import Queries
from khien.population.load import staging
from khien.population.load.changes import bound, change_known, log_changed
from khien.population.load.checking import convert_statement, convert_unusual_statement, explain_statement
from khien.population.load.reading import Extract
from khien.population.load.staging import Connection, Progress
from khien.population.load.taken import (
    KEYS_DOWN,
    KEYS_UP,
    MAIN_TABLES,
    Overtaken,
    Taken,
    register_is_empty,
    settle,
)
from khien.population.load.usual import ROW_TABLES, TABLES, Usual

_merge = Queries("khien.population.load", "merge.sql")

# Statements that add the judged rows, by table.
_NEW = {"person": ("person",), "identifier": ("identifier", "provisional"), "personal_card": ("card",),
        "household": ("household",), "household_member": ("member",), "residence": ("residence",)}  # fmt: skip
# Tables of the staging schema that judging and merging make.
_MADE = ("checked", "identity", "matched", "wanted", "home", "known_home", "member", "touched", "excluded", "commune")
_JUDGED = """
COPY (SELECT v.kind, v.value FROM loading.checked c LEFT JOIN loading.unusual u USING (line), LATERAL (VALUES
    ('personal_number', c.personal_number), ('cmnd', c.old_number), ('insurance', c.insurance_number),
    ('provisional', c.provisional_id), ('household', c.household)) AS v (kind, value)
WHERE u.turn IS NOT DISTINCT FROM %(turn)s AND v.value IS NOT NULL) TO STDOUT (FORMAT csv)
"""

# What an empty register leaves of `owners` and `wanted`.
_KNOWS_NOBODY = """
CREATE UNLOGGED TABLE loading.matched (line bigint, person_id bigint, persons bigint);
CREATE UNLOGGED TABLE loading.wanted (line bigint)
"""

# khien_name_key of a name that is folded already.
_NAME_KEY = (
    "btrim(split_part(c.folded, ' ', -1) || ' ' || left(c.folded, -1 - length(split_part(c.folded, ' ', -1))), ' ')"
)

# Rows that passed, with the person's number: the register's for those it knows, else the reserved one of the line.
_ACCEPTED = """
CREATE VIEW loading.accepted AS
SELECT c.*, {name_key} AS name_key, coalesce(m.person_id, {base} + c.line) AS person_id, m.person_id IS NULL AS is_new,
    CASE c.card_kind WHEN 'cmnd' THEN coalesce(c.old_number, c.personal_number) ELSE c.personal_number END
        AS card_number,
    CASE WHEN c.stay_unit IS NOT NULL AND coalesce(c.stay_from, c.birth_date) <= '{as_of}'
              AND (c.stay_until IS NULL OR c.stay_until >= '{as_of}') THEN c.stay_unit
         WHEN c.temporary_unit IS NOT NULL AND coalesce(c.temporary_from, c.birth_date) <= '{as_of}'
              AND (c.temporary_until IS NULL OR c.temporary_until >= '{as_of}') THEN c.temporary_unit
         ELSE c.permanent_unit END AS present_unit
FROM loading.checked c LEFT JOIN loading.matched m USING (line)
WHERE NOT EXISTS (SELECT FROM loading.excluded e WHERE e.line = c.line)
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of the file: `rows` = added + changed + unchanged + repeated + rejected. `faults` are theirs."""

    rows: int
    added: int
    changed: int
    unchanged: int
    repeated: int
    rejected: int
    faults: int


@dataclass(frozen=True, slots=True)
class Run:
    """One load: the person of line n, if new, gets the number `base` + n."""

    run_id: int
    base: int
    lines: int


def tidy(connection: Connection) -> None:
    """Residences that a load committed before it was killed and could commit its people: nobody's."""
    connection.execute(_merge.orphans)


def communes(connection: Connection, as_of: dt.date) -> list[tuple[str, int]]:
    """Codes and units on the day of the extract."""
    return connection.execute(_merge.communes, {"as_of": as_of}).fetchall()


def check(
    connection: Connection,
    extract: Extract,
    usual: Usual | None,
    as_of: dt.date,
    progress: Progress,
    *,
    register_taken: bool,
) -> None:
    """Convert and judge every row that is not usual. Leaves the faults in loading.reject.

    The register is only read, and not even that where it was taken: it is empty, and locked from here too.
    """
    connection.execute("SET max_parallel_workers_per_gather = 4")
    connection.execute("SET min_parallel_table_scan_size = '1MB'")
    for table in _MADE:
        connection.execute(f"DROP TABLE IF EXISTS loading.{table} CASCADE")
    connection.execute("DELETE FROM loading.reject WHERE field <> 'row'")
    connection.execute("CREATE UNLOGGED TABLE loading.commune (code text PRIMARY KEY, unit_id integer NOT NULL)")
    connection.execute("CREATE UNLOGGED TABLE loading.excluded (line bigint PRIMARY KEY)")
    connection.execute(f"INSERT INTO loading.commune {_merge.communes}", {"as_of": as_of})
    connection.execute("ANALYZE loading.commune; ANALYZE loading.raw")
    progress("checking", 0, 4)
    _convert(connection, extract, usual)
    connection.execute("ANALYZE loading.checked")
    progress("checking", 1, 4)
    connection.execute(explain_statement(as_of))
    connection.execute(_merge.exclude)
    connection.execute(_merge.identities)
    connection.execute("ANALYZE loading.identity")
    progress("checking", 2, 4)
    connection.execute(_merge.repeated)
    connection.execute(_merge.two_heads)
    progress("checking", 3, 4)
    if register_taken:
        connection.execute(_KNOWS_NOBODY)
    else:
        _match(connection, as_of)
    connection.execute(_merge.exclude)
    connection.execute("DELETE FROM loading.wanted w USING loading.excluded e WHERE e.line = w.line")
    connection.execute("ANALYZE loading.excluded; ANALYZE loading.matched")
    progress("checking", 4, 4)


def _convert(connection: Connection, extract: Extract, usual: Usual | None) -> None:
    """Type the rows to be judged; whoever shares a number or the household with one of them is judged with it."""
    connection.execute("DELETE FROM loading.raw r USING loading.unusual u WHERE u.line = r.line")  # of a killed load
    connection.execute("TRUNCATE loading.unusual")
    connection.execute(convert_statement())
    if usual is None:
        return
    turn = 0
    usual.judge_repeated(turn)
    found = usual.judge_related(turn, _judged(connection, usual, None))
    while found:
        staging.stage_again(connection, extract, usual, turn)
        connection.execute(convert_unusual_statement(turn))
        judged = _judged(connection, usual, turn)
        turn += 1
        found = usual.judge_related(turn, judged)


def _judged(connection: Connection, usual: Usual, turn: int | None) -> Path:
    """Numbers and households of judged rows, as a file."""
    target = usual.folder / "judged.csv"
    with target.open("wb") as stream, connection.cursor().copy(_JUDGED, {"turn": turn}) as source:
        for part in source:
            stream.write(part)
    return target


def _match(connection: Connection, as_of: dt.date) -> None:
    connection.execute(_merge.owners)
    connection.execute("ANALYZE loading.matched")
    connection.execute(_merge.conflicts)
    connection.execute(_merge.same_person)
    connection.execute(
        "DELETE FROM loading.matched m USING loading.reject r"
        " WHERE r.line = m.line AND r.reason IN ('conflict', 'duplicate')"
    )
    # CREATE TABLE AS takes no parameters from the server's side, so the day is written into the text.
    connection.execute(bound(_merge.wanted, {"as_of": as_of}))
    connection.execute(_merge.overlaps)


def reject_counts(connection: Connection) -> tuple[int, int]:
    """Rejected rows, and their faults."""
    found = connection.execute("SELECT count(DISTINCT line), count(*) FROM loading.reject").fetchone()
    assert found is not None
    return found[0], found[1]


def prepare(
    connection: Connection,
    run: Run,
    extract: Extract,
    usual: Usual | None,
    taken: Taken | None,
    as_of: dt.date,
    progress: Progress,
) -> Merge:
    """What the merge needs, made outside its transaction."""
    connection.execute("DROP VIEW IF EXISTS loading.accepted")
    connection.execute(_ACCEPTED.format(name_key=_NAME_KEY, base=run.base, as_of=as_of))
    known = _count(connection, "SELECT count(*) FROM loading.matched")
    if known:
        connection.execute(_merge.known_homes)
    else:
        connection.execute("CREATE UNLOGGED TABLE loading.known_home (household text, household_id bigint)")
    connection.execute(_merge.homes.replace("%%", "%"))
    connection.execute("ANALYZE loading.home")
    homes, usual_homes = _count(connection, "SELECT count(*) FROM loading.home"), usual.homes() if usual else 0
    first = _count(connection, f"SELECT khien_load_reserve('household_id_seq', {homes + usual_homes})") - 1  # noqa: S608
    params: dict[str, Any] = {"as_of": as_of, "has_household": "household" in extract.columns, "first_household": first}
    for kind, column in (("temporary", "temporary_commune"), ("stay", "stay_commune"), ("absence", "absent_from")):
        params[f"has_{kind}"] = column in extract.columns
    # The statistics of a register that has just been made say nothing: ask.
    judged = _count(connection, "SELECT count(*) FROM loading.accepted WHERE is_new")
    plain = staging.usual_rows(connection) - _count(connection, "SELECT count(*) FROM loading.unusual")
    return Merge(run, usual, taken, params, plain, judged, known, first + homes, progress)


class Merge:
    """Writes what passed, in the session's transaction with its log row. Made by `prepare`."""

    def __init__(
        self,
        run: Run,
        usual: Usual | None,
        taken: Taken | None,
        params: dict[str, Any],
        plain: int,
        judged: int,
        known: int,
        first_usual_household: int,
        progress: Progress,
    ) -> None:
        self._run, self._taken, self._params = run, taken, params
        self._usual, self._plain, self._judged, self._known = usual, plain, judged, known
        self._first_usual_household, self._progress = first_usual_household, progress

    def run(self, session: Session) -> Counts:
        settle(session.connection)
        rejected, faults = reject_counts(session.connection)
        # Rows that could not be read are rejected too, though they never got into the table.
        unread = session.value("SELECT count(DISTINCT line) FROM loading.reject WHERE field = 'row'")
        rows = session.value("SELECT count(*) FROM loading.raw") + unread + self._plain
        added = self._add(session)
        changed = change_known(session, self._params) if self._known else 0
        repeated = session.value(_merge.repeated_rows)
        unchanged = rows - added - changed - repeated - rejected
        counts = Counts(rows, added, changed, unchanged, repeated, rejected, faults)
        # New people are named by the range of their numbers, as a bulk of millions needs; changed ones one by one.
        first, last = self._run.base + 1, self._run.base + self._run.lines
        numbers = {"first_id": first, "last_id": last}
        session.log("person.load", (), run=self._run.run_id, **asdict(counts), **numbers)
        if changed:
            log_changed(session, self._run.run_id)
        return counts

    def _add(self, session: Session) -> int:
        if self._taken:
            self._add_taken(session, self._taken)
        elif self._plain or self._judged:
            bulk = self._plain + self._judged > session.value("SELECT count(*) FROM person")
            bulk = bulk and session.value(KEYS_DOWN, tables=list(TABLES), keep_foreign=False)
            if self._usual and not register_is_empty(session.connection):
                raise Overtaken
            self._write_all(session, TABLES)
            if bulk:
                session.value(KEYS_UP, tables=list(TABLES))
            self._told(len(TABLES) + 1)
        else:
            # Known people may have moved into a household that is new.
            session.execute(_merge.new_household, self._params)
        return self._plain + self._judged

    def _add_taken(self, session: Session, taken: Taken) -> None:
        """Into the register that is empty and taken: the keys are down, the residences are written beside."""
        taken.judged(lambda beside: self._write_judged(beside, "residence"))
        session.execute("SET LOCAL session_replication_role = replica")
        # The other core is taken.
        session.execute("SET LOCAL max_parallel_maintenance_workers = 0")
        self._write_all(session, MAIN_TABLES)
        session.value(KEYS_UP, tables=MAIN_TABLES)
        session.execute("SET LOCAL session_replication_role = origin")
        taken.wait()
        self._told(len(TABLES) + 1)

    def _write_all(self, session: Session, tables: Sequence[str]) -> None:
        for done, table in enumerate(tables):
            self._told(done)
            self._write(session, table)
        self._told(len(TABLES))

    def _told(self, done: int) -> None:
        self._progress("merging", done, len(TABLES) + 1)

    def _write(self, session: Session, table: str) -> None:
        if self._usual and self._plain:
            self._usual.write(session.connection, table, self._first_usual_household)
        self._write_judged(session, table)

    def _write_judged(self, session: Session, table: str) -> None:
        """What follows from the judgement of the whole file, after the usual rows were written."""
        if self._usual and table in ROW_TABLES:
            remove = f"DELETE FROM {table} t USING loading.unusual u WHERE t.person_id = {self._run.base} + u.line"  # noqa: S608
            session.connection.execute(remove)
        if self._judged:
            for statement in _NEW[table]:
                session.execute(getattr(_merge, f"new_{statement}"), self._params)


def _count(connection: Connection, query: LiteralString) -> int:
    found = connection.execute(query).fetchone()
    return int(found[0]) if found else 0
