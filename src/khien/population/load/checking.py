"""Turns typed.sql and checks.sql into the two statements that convert and judge every staged row."""

from __future__ import annotations

import datetime as dt
import re
from typing import LiteralString, cast

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
        "CASE WHEN r.name IS NFC NORMALIZED AND strpos(r.name, '  ') = 0 AND r.name !~ '^\\s|[^\\S ]|\\s$' THEN nullif(r.name, '')"
        f" ELSE nullif(btrim(regexp_replace(normalize(r.name, NFC), '{_SPACE}+', ' ', 'g')), '') END"
    )


def _birth_known(_: str = "") -> str:
    """The date with what is unknown left out: YYYY-MM-DD, YYYY-MM or YYYY; null if it has no such form."""
    stripped = f"regexp_replace(r.birth_date, '^{_SPACE}+|{_SPACE}+$', '', 'g')"
    return (
        "CASE WHEN r.birth_date ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN r.birth_date"
        rf" WHEN {stripped} ~ '^[0-9]{{4}}(-[0-9]{{2}}(-([0-9]{{2}}|\*\*))?|-\*\*(-\*\*)?)?$'"
        rf" THEN replace({stripped}, '-**', '') END"
    )


def _birth(_: str = "") -> str:
    known = _birth_known()
    return f"({known}) || CASE length({known}) WHEN 10 THEN '' WHEN 7 THEN '-01' ELSE '-01-01' END"


def _birth_length(_: str = "") -> str:
    return f"length({_birth_known()})"


def _long(_: str = "") -> str:
    """The first column whose text is longer than allowed."""
    cases = " ".join(f"WHEN length(r.{c.name}) > {c.length} THEN '{c.name}'" for c in COLUMNS)
    return f"CASE {cases} END AS too_long"


_MACROS = {
    "text": _text,
    "digits": _digits,
    "document": _document,
    "date": _date,
    "name": _name,
    "birth": _birth,
    "birth_length": _birth_length,
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


def convert_statement(as_of: dt.date) -> LiteralString:
    """Creates loading.checked: every staged row typed, with its name key and whether anything is wrong with it."""
    faulty = "\n OR ".join(["t.too_long IS NOT NULL", *_conditions(as_of).values()])
    return cast(
        LiteralString,
        "CREATE UNLOGGED TABLE loading.checked AS SELECT t.line, t.personal_number, t.provisional_id, t.name,"  # noqa: S608
        " khien_name_key(t.name) AS name_key, t.birth_date, t.birth_precision, t.sex, t.nationality, t.old_number,"
        " t.insurance_number, t.card_kind, t.card_issued_on, t.card_expires_on, t.household, t.relation,"
        " t.permanent_unit, t.address, t.temporary_unit, t.temporary_address, t.temporary_from, t.temporary_until,"
        " t.stay_unit, t.stay_address, t.stay_from, t.stay_until, t.absent_from, t.absent_until, t.died_on,"
        f" ({faulty}) AS faulty FROM ({_typed()}) t",
    )


def explain_statement(as_of: dt.date) -> LiteralString:
    """Fills loading.reject with every fault of the faulty rows."""
    named = ", ".join(f"('{field}', '{reason}', {body})" for (field, reason), body in _conditions(as_of).items())
    return cast(
        LiteralString,
        "INSERT INTO loading.reject (line, field, reason) SELECT t.line, fault.field, fault.reason"  # noqa: S608
        f" FROM ({_typed()} WHERE EXISTS (SELECT FROM loading.checked c WHERE c.line = r.line AND c.faulty)) t,"
        f" LATERAL (VALUES (t.too_long, 'too_long', t.too_long IS NOT NULL), {named}) AS fault (field, reason, bad)"
        " WHERE fault.bad",
    )
