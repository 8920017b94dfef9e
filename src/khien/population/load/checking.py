"""Turns typed.sql and checks.sql into the two statements that convert and judge every staged row."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import LiteralString

from khien.core.sql import Queries
from khien.population.load.columns import COLUMNS

_PACKAGE = "khien.population.load"
_MACRO = re.compile(r"\{(\w+)(?::(\w+))?\}")
# What Python's \s holds: the rules strip numbers with it, so the checks must too.
_SPACE = r"[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_FILLING = r"[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000.\u2010-\u2015-]"


def _text(column: str) -> str:
    return f"nullif(btrim(r.{column}), '')"


def _digits(column: str) -> str:
    """Without spaces; the regular expression is paid for only where the quick test fails."""
    return (
        f"CASE WHEN length(r.{column}) = 12 AND translate(r.{column}, '0123456789', '') = '' THEN r.{column}"
        f" ELSE nullif(regexp_replace(r.{column}, '{_SPACE}+', '', 'g'), '') END"
    )


def _document(column: str) -> str:
    return (
        f"CASE WHEN translate(r.{column}, '0123456789', '') = '' THEN nullif(r.{column}, '')"
        f" ELSE nullif(upper(regexp_replace(r.{column}, '{_FILLING}+', '', 'g')), '') END"
    )


def _date(column: str) -> str:
    text = _text(column)
    return (
        f"CASE WHEN {text} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$' AND pg_input_is_valid({text}, 'date')"
        f" THEN ({text})::date END"
    )


def _name(_: str = "") -> str:
    # Stored NFC with single spaces; most names come so.
    return (
        "CASE WHEN r.name IS NFC NORMALIZED AND strpos(r.name, '  ') = 0 AND r.name !~ '^\\s|[^\\S ]|\\s$'"
        " THEN nullif(r.name, '')"
        f" ELSE nullif(btrim(regexp_replace(normalize(r.name, NFC), '{_SPACE}+', ' ', 'g')), '') END"
    )


_DAY = "'^[0-9]{4}-[0-9]{2}-[0-9]{2}$'"
_STRIPPED = f"replace(regexp_replace(r.birth_date, '^{_SPACE}+|{_SPACE}+$', '', 'g'), '-**', '')"


def _birth(_: str = "") -> str:
    """First possible day of YYYY-MM-DD, YYYY-MM or YYYY, `**` for what is not known; a full date is the usual case."""
    loose = (
        rf"CASE WHEN r.birth_date !~ '-\*\*-[0-9]' AND {_STRIPPED} ~ '^[0-9]{{4}}(-[0-9]{{2}}){{0,2}}$'"
        f" THEN {_STRIPPED} || left('-01-01', 10 - length({_STRIPPED})) END"
    )
    return (
        f"CASE WHEN r.birth_date ~ {_DAY}"
        " THEN CASE WHEN pg_input_is_valid(r.birth_date, 'date') THEN r.birth_date::date END"
        f" WHEN pg_input_is_valid({loose}, 'date') THEN ({loose})::date END"
    )


def _precision(_: str = "") -> str:
    return (
        f"CASE WHEN r.birth_date ~ {_DAY} THEN 'd'"
        f" ELSE CASE length({_STRIPPED}) WHEN 10 THEN 'd' WHEN 7 THEN 'm' ELSE 'y' END END::\"char\""
    )


def _long(_: str = "") -> str:
    """The first column whose text is longer than allowed."""
    cases = " ".join(f"WHEN length(r.{c.name}) > {c.length} THEN '{c.name}'" for c in COLUMNS)
    return f"CASE {cases} END AS too_long"


_MACROS: dict[str, Callable[[str], str]] = {
    "text": _text,
    "digits": _digits,
    "document": _document,
    "date": _date,
    "name": _name,
    "birth": _birth,
    "precision": _precision,
    "long": _long,
}


def _typed() -> str:
    body = Queries(_PACKAGE, "typed.sql").typed
    return _MACRO.sub(lambda found: _MACROS[found[1]](found[2] or ""), body)


def _conditions(as_of: dt.date) -> dict[tuple[str, str], str]:
    """(field, reason): condition. The day is put in as a literal: CREATE TABLE AS takes no parameters."""
    checks = Queries(_PACKAGE, "checks.sql")
    found = {}
    for name in checks:
        field, reason = name.split("__")
        found[field, reason] = f"coalesce({getattr(checks, name)}, false)".replace("%(as_of)s", f"DATE '{as_of}'")
    return found


def convert_statement() -> LiteralString:
    """Creates loading.checked: every staged row typed. Nothing is judged yet."""
    return f"CREATE UNLOGGED TABLE loading.checked AS {_typed()}"


def convert_unusual_statement(turn: int) -> LiteralString:
    """Types the rows of loading.unusual that were noted in this turn, and adds them."""
    return (
        f"INSERT INTO loading.checked {_typed()}"  # noqa: S608
        f" WHERE r.line IN (SELECT line FROM loading.unusual WHERE turn = {int(turn)})"
    )


def explain_statement(as_of: dt.date) -> LiteralString:
    """Fills loading.reject with every fault of every row: one pass finds the faulty rows, only they are explained."""
    conditions = _conditions(as_of)
    faulty = "\n OR ".join(["t.too_long IS NOT NULL", *conditions.values()])
    named = ", ".join(f"('{field}', '{reason}', {body})" for (field, reason), body in conditions.items())
    return (
        "INSERT INTO loading.reject (line, field, reason) SELECT t.line, fault.field, fault.reason"  # noqa: S608
        f" FROM (SELECT * FROM loading.checked t WHERE {faulty} OFFSET 0) t,"
        f" LATERAL (VALUES (t.too_long, 'too_long', t.too_long IS NOT NULL), {named}) AS fault (field, reason, bad)"
        " WHERE fault.bad"
    )
