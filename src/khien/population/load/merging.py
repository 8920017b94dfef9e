"""Checks of the whole file and the one merge, as set-based statements."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from khien.core.session import Session
from khien.core.sql import Queries
from khien.population.load.checking import convert_statement, explain_statement
from khien.population.load.reading import Extract
from khien.population.load.staging import Connection, Progress

_merge = Queries("khien.population.load", "merge.sql")
_change = Queries("khien.population.load", "change.sql")

_NEW = ("person", "identifier", "provisional", "card", "household", "member", "residence")
_CHANGES = ("person_version", "person", "old_number", "identifier", "card", "household", "members", "member_end",
            "member_same_day", "member_begin", "residence_end", "residence_gone", "residence_same_day",
            "residence_begin")  # fmt: skip
# Their rows name no person, or prepare others.
_SILENT = ("person_version", "household", "members")

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


def check(connection: Connection, as_of: dt.date, progress: Progress) -> None:
    """Convert and judge every row. Leaves the faults in loading.reject; the register is only read."""
    connection.execute("SET max_parallel_workers_per_gather = 4")
    connection.execute("SET min_parallel_table_scan_size = '1MB'")
    for table in ("checked", "identity", "matched", "wanted", "home", "known_home", "member", "excluded", "commune"):
        connection.execute(f"DROP TABLE IF EXISTS loading.{table} CASCADE")
    connection.execute("DELETE FROM loading.reject WHERE field <> 'row'")
    connection.execute("CREATE UNLOGGED TABLE loading.commune (code text PRIMARY KEY, unit_id integer NOT NULL)")
    connection.execute("CREATE UNLOGGED TABLE loading.excluded (line bigint PRIMARY KEY)")
    connection.execute(_merge.communes, {"as_of": as_of})
    connection.execute("ANALYZE loading.commune; ANALYZE loading.raw")
    progress("checking", 0, 4)
    connection.execute(convert_statement())
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
    connection.execute(_bound(_merge.wanted, {"as_of": as_of}))
    connection.execute(_merge.overlaps)


def reject_counts(connection: Connection) -> tuple[int, int]:
    """Rejected rows, and their faults."""
    found = connection.execute("SELECT count(DISTINCT line), count(*) FROM loading.reject").fetchone()
    assert found is not None
    return found[0], found[1]


def merge(session: Session, extract: Extract, as_of: dt.date, progress: Progress) -> Counts:
    """Write what passed, in the session's transaction, with its log row."""
    connection = session.connection
    for setting in ("work_mem = '128MB'", "maintenance_work_mem = '512MB'", "synchronous_commit = on"):
        connection.execute(f"SET LOCAL {setting}")
    connection.execute("SET LOCAL max_parallel_workers_per_gather = 4")
    connection.execute("SET LOCAL max_parallel_maintenance_workers = 4")
    rows, last_line = session.connection.execute(
        "SELECT count(*), coalesce(max(line), 0) FROM loading.raw").fetchone() or (0, 0)  # fmt: skip
    base = _reserve(session, "person_id_seq", last_line)
    connection.execute(_ACCEPTED.format(name_key=_NAME_KEY, base=base - 1, as_of=as_of))
    # The statistics of a register that has just been made say nothing: ask.
    known = session.value("SELECT count(*) FROM loading.matched")
    params: dict[str, Any] = {"as_of": as_of, "has_household": "household" in extract.columns}
    for kind, column in (("temporary", "temporary_commune"), ("stay", "stay_commune"), ("absence", "absent_from")):
        params[f"has_{kind}"] = column in extract.columns
    _homes(session, known)
    params["first_household"] = (
        _reserve(session, "household_id_seq", session.value("SELECT count(*) FROM loading.home")) - 1
    )
    rejected, faults = reject_counts(connection)
    # Rows that could not be read are rejected too, though they never got into the table.
    rows += session.value("SELECT count(DISTINCT line) FROM loading.reject WHERE field = 'row'")
    added = _add(session, params, progress)
    changed = _change_known(session, params) if known else set()
    repeated = session.value(
        "SELECT count(*) FROM loading.excluded e WHERE NOT EXISTS (SELECT FROM loading.reject r WHERE r.line = e.line)"
    )
    unchanged = rows - added - len(changed) - repeated - rejected
    counts = Counts(rows, added, len(changed), unchanged, repeated, rejected, faults)
    # New people are named by the range of their numbers, as a bulk of millions needs; changed ones one by one.
    session.log("person.load", sorted(changed), added=added, first_id=base, last_id=base + last_line, rejected=rejected)
    connection.execute("DROP VIEW loading.accepted")
    return counts


def _homes(session: Session, known: int) -> None:
    connection = session.connection
    if known:
        connection.execute(_merge.known_homes)
    else:
        connection.execute("CREATE UNLOGGED TABLE loading.known_home (household text, household_id bigint)")
    connection.execute(_merge.homes.replace("%%", "%"))
    connection.execute("ANALYZE loading.home")


def _add(session: Session, params: dict[str, Any], progress: Progress) -> int:
    new = session.value("SELECT count(*) FROM loading.accepted WHERE is_new")
    if not new:
        # Known people may have moved into a household that is new.
        session.execute(_merge.new_household, params)
        return 0
    bulk = new > session.value("SELECT count(*) FROM person") and session.value("SELECT khien_load_keys_down()")
    for done, part in enumerate(_NEW):
        progress("merging", done, len(_NEW) + 1)
        session.execute(getattr(_merge, f"new_{part}"), params)
    progress("merging", len(_NEW), len(_NEW) + 1)
    if bulk:
        session.value("SELECT khien_load_keys_up()")
    progress("merging", len(_NEW) + 1, len(_NEW) + 1)
    return int(new)


def _change_known(session: Session, params: dict[str, Any]) -> set[int]:
    touched: set[int] = set()
    for name in _CHANGES:
        query = getattr(_change, name)
        if name == "members":
            session.connection.execute(_bound(query, params))
        elif name in _SILENT:
            session.execute(query, params)
        else:
            touched.update(row["person_id"] for row in session.rows(query, params))
    return touched


def _reserve(session: Session, sequence: str, count: int) -> int:
    """The first of `count` consecutive numbers that nobody else gets.

    Drawn one by one, because setting a sequence forward is not safe beside others who draw from it; drawn again should
    somebody have come in between.
    """
    while True:
        drawn = (
            "SELECT min(n), max(n)"
            " FROM (SELECT nextval(%(sequence)s) FROM generate_series(1, greatest(%(count)s, 1))) s (n)"
        )
        found = session.row(drawn, sequence=sequence, count=count)
        assert found is not None
        if found["max"] - found["min"] == max(count, 1) - 1:
            return int(found["min"])


def _bound(query: str, params: dict[str, Any]) -> Any:
    """The text with its parameters as literals, for statements to which the server gives no parameters."""
    for name, value in params.items():
        literal = (
            f"'{value}'"
            if isinstance(value, dt.date)
            else str(value).lower()
            if isinstance(value, bool)
            else str(value)
        )
        query = query.replace(f"%({name})s", literal)
    return query
