"""Checks of the whole file and the one merge, as set-based statements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from khien.core.actor import Actor
from khien.core.session import Session
from khien.core.sql import Queries
from khien.population.load import staging
from khien.population.load.aside import Aside, may_work_aside
from khien.population.load.changes import bound, change_known, log_changed
from khien.population.load.checking import convert_statement, convert_unusual_statement, explain_statement
from khien.population.load.reading import Extract
from khien.population.load.staging import Connection, Progress
from khien.population.load.usual import ROW_TABLES, TABLES, Usual

_merge = Queries("khien.population.load", "merge.sql")

# Statements that add the judged rows, by table.
_NEW = {"person": ("person",), "identifier": ("identifier", "provisional"), "personal_card": ("card",),
        "household": ("household",), "household_member": ("member",), "residence": ("residence",)}  # fmt: skip
_KEYS_DOWN = "SELECT khien_load_keys_down(%(tables)s::regclass[], %(keep_foreign)s)"
_KEYS_UP = "SELECT khien_load_keys_up(%(tables)s::regclass[])"
# Tables of the staging schema that judging and merging make.
_MADE = ("checked", "identity", "matched", "wanted", "home", "known_home", "member", "touched", "excluded", "commune")
_SETTINGS = (
    "work_mem = '128MB'",
    "maintenance_work_mem = '512MB'",
    "synchronous_commit = on",
    "max_parallel_workers_per_gather = 4",
    "max_parallel_maintenance_workers = 4",
    # A killed load must let go of its locks at once, not when its statement ends.
    "client_connection_check_interval = '1s'",
)
# A load fills more log than is kept ready: what writes a new segment full of zeros first writes the disk twice.
_UNFILLED = "SELECT set_config('wal_init_zero', 'off', true) WHERE has_parameter_privilege('wal_init_zero', 'SET')"
_JUDGED = """
COPY (SELECT v.kind, v.value FROM loading.checked c LEFT JOIN loading.unusual u USING (line), LATERAL (VALUES
    ('personal_number', c.personal_number), ('cmnd', c.old_number), ('insurance', c.insurance_number),
    ('provisional', c.provisional_id), ('household', c.household)) AS v (kind, value)
WHERE u.turn IS NOT DISTINCT FROM %(turn)s AND v.value IS NOT NULL) TO STDOUT (FORMAT csv)
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


class Overtaken(Exception):  # noqa: N818 - never leaves the loader
    """Somebody was entered into the empty register while its rows were prepared."""


def register_is_empty(connection: Connection) -> bool:
    found = connection.execute("SELECT EXISTS (SELECT FROM person) OR EXISTS (SELECT FROM identifier)").fetchone()
    return found == (False,)


def tidy(connection: Connection) -> None:
    """Residences that a load committed before it was killed and could commit its people: nobody's."""
    connection.execute(_merge.orphans)


def communes(connection: Connection, as_of: dt.date) -> list[tuple[str, int]]:
    """Codes and units on the day of the extract."""
    return connection.execute(_merge.communes, {"as_of": as_of}).fetchall()


def check(connection: Connection, extract: Extract, usual: Usual | None, as_of: dt.date, progress: Progress) -> None:
    """Convert and judge every row that is not usual. Leaves the faults in loading.reject; the register is only read."""
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


@contextmanager
def prepared(
    connection: Connection,
    run: Run,
    extract: Extract,
    usual: Usual | None,
    by: Actor,
    as_of: dt.date,
    progress: Progress,
) -> Iterator[Merge]:
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
    merge = Merge(run, usual, by, params, plain, judged, known, first + homes, progress)
    try:
        yield merge
    finally:
        merge.close()


class Merge:
    """Writes what passed, in the session's transaction with its log row. Made by `prepared`."""

    def __init__(
        self,
        run: Run,
        usual: Usual | None,
        by: Actor,
        params: dict[str, Any],
        plain: int,
        judged: int,
        known: int,
        first_usual_household: int,
        progress: Progress,
    ) -> None:
        self._run, self._by, self._params = run, by, params
        self._usual, self._plain, self._judged, self._known = usual, plain, judged, known
        self._first_usual_household, self._progress = first_usual_household, progress
        self._aside: Aside | None = None

    def run(self, session: Session) -> Counts:
        connection = session.connection
        _settle(connection)
        rejected, faults = reject_counts(connection)
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

    def before_commit(self) -> None:
        """The last thing before the people are committed: `tidy` finds what is left if that fails."""
        if self._aside:
            self._aside.commit()

    def close(self) -> None:
        if self._aside:
            self._aside.close()

    def _add(self, session: Session) -> int:
        new = self._plain + self._judged
        if not new:
            # Known people may have moved into a household that is new.
            session.execute(_merge.new_household, self._params)
            return 0
        bulk = new > session.value("SELECT count(*) FROM person")
        aside = self._plain > 0 and may_work_aside(session.connection)
        tables = [table for table in TABLES if not (aside and table == "residence")]
        bulk = bulk and session.value(_KEYS_DOWN, tables=tables, keep_foreign=aside)
        if self._usual and not register_is_empty(session.connection):
            raise Overtaken
        if bulk and aside:
            self._aside = Aside(self._by, self._write_residence)
            session.execute("SET LOCAL session_replication_role = replica")
            # The other core is taken.
            session.execute("SET LOCAL max_parallel_maintenance_workers = 0")
        elif aside:
            tables.append("residence")
        for done, table in enumerate(tables):
            self._progress("merging", done, len(tables) + 1)
            self._write(session, table)
        self._progress("merging", len(tables), len(tables) + 1)
        if bulk:
            session.value(_KEYS_UP, tables=tables)
        if self._aside:
            session.execute("SET LOCAL session_replication_role = origin")
            self._settle_aside(session)
        self._progress("merging", len(tables) + 1, len(tables) + 1)
        return new

    def _settle_aside(self, session: Session) -> None:
        assert self._aside is not None
        try:
            self._aside.wait()
        except psycopg.errors.LockNotAvailable:
            # Somebody works on the residences and may be waiting for the people: PostgreSQL must see both in one place.
            self._aside.close()
            self._aside = None
            session.value(_KEYS_DOWN, tables=["residence"], keep_foreign=False)
            self._write(session, "residence")
            session.value(_KEYS_UP, tables=["residence"])

    def _write(self, session: Session, table: str) -> None:
        if self._usual and self._plain:
            self._usual.write(session.connection, table, self._first_usual_household)
            if table in ROW_TABLES:
                remove = f"DELETE FROM {table} t USING loading.unusual u WHERE t.person_id = {self._run.base} + u.line"  # noqa: S608
                session.connection.execute(remove)
        if self._judged:
            for statement in _NEW[table]:
                session.execute(getattr(_merge, f"new_{statement}"), self._params)

    def _write_residence(self, session: Session) -> None:
        """The residences, whose key takes as long to prove as all the rest to write: in a transaction of its own."""
        _settle(session.connection)
        # Whoever reads the residences and waits for the people would wait for ever: better not to begin.
        session.execute("SET LOCAL lock_timeout = '10s'")
        session.value(_KEYS_DOWN, tables=["residence"], keep_foreign=True)
        session.execute("SET LOCAL session_replication_role = replica")
        self._write(session, "residence")
        session.value(_KEYS_UP, tables=["residence"])


def _settle(connection: Connection) -> None:
    for setting in _SETTINGS:
        connection.execute(f"SET LOCAL {setting}")
    connection.execute(_UNFILLED)


def _count(connection: Connection, query: LiteralString) -> int:
    found = connection.execute(query).fetchone()
    return int(found[0]) if found else 0
