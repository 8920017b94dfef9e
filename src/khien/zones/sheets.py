"""The list of an area's people as a file for the teams: CSV or XLSX, in one language."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import xlsxwriter

from khien.core.i18n import N_, translate
from khien.core.spreadsheet import plain
from khien.zones import needs

Row = dict[str, Any]
_HEAD = (
    N_("List"), N_("Name"), N_("Birth date"), N_("Age"), N_("Sex"), N_("Household"), N_("Address"), N_("Residence"),
    N_("Where now"), N_("Certainty"), N_("Since"), N_("Movement"), N_("Moved on"), N_("From or to"), N_("Doses"),
    N_("Full primary series"), N_("Last dose"), N_("Vulnerable because"),
)  # fmt: skip
WORDS = {
    "resident_present": N_("Resident, present"), "temporary_present": N_("Temporarily present"),
    "resident_away": N_("Resident, away"), "not_found": N_("Not found"), "left": N_("Left"), "arrived": N_("Arrived"),
    "male": N_("male"), "female": N_("female"), "other": N_("other"), "unknown": N_("unknown"),
    "seen": N_("seen at a checkpoint"), "registered": N_("registered"), "presumed": N_("presumed"),
    "old": N_("65 or older"), "young": N_("under 5"), "pregnant": N_("pregnant"), "dialysis": N_("dialysis"),
    "chronic": N_("chronic disease"), "disabled": N_("disability"), "oxygen": N_("needs oxygen"),
}  # fmt: skip


NOT_CONCERNED = N_("not concerned")
_VISITS = (
    N_("State"), N_("Name"), N_("Birth date"), N_("Sex"), N_("Address"), N_("Commune"), N_("Here since"), N_("Zone"),
    N_("Residence"), N_("Certainty"), N_("Done on"), N_("Note"),
)  # fmt: skip
STATES = {
    "open": N_("to visit"), "seen": N_("seen"), "not_found": N_("not found"), "moved_on": N_("moved on"),
}  # fmt: skip


def tasks(rows: list[Row], on: dt.date, language: str) -> list[list[Any]]:
    """Header and a line a person who came from a zone, in the order given."""

    def word(words: dict[str, str], code: str) -> str:
        return translate(words[code], language) if code in words else ""

    body = [
        [
            word(STATES, r["state"]), r["name"], _born(r), word(WORDS, r["sex"]), r["address"] or "", r["unit_name"],
            _iso(r["came_on"]), r["zone"], r["home_name"], word(WORDS, r["certainty"]), _iso(r["done_on"]), r["note"],
        ]
        for r in rows
    ]  # fmt: skip
    return [[translate(title, language) for title in _VISITS], *body]


def table(rows: list[Row], names: dict[int, str], on: dt.date, language: str) -> list[list[Any]]:
    """Header and a line a person, by list, household and age. `names` of units by id."""

    words = {code: translate(text, language) for code, text in WORDS.items()}
    yes, no = translate(N_("yes"), language), translate(N_("no"), language)

    def word(code: str | None) -> str:
        return words.get(code, "") if code is not None else ""

    def place(unit: int | None) -> str:
        return names.get(unit, "") if unit is not None else ""

    body = [
        [
            word(r["list"]), r["name"], _born(r), needs.age(r["birth_date"], on), word(r["sex"]), r["household_id"],
            r["address"] or "", place(r["home_unit"]), place(r["unit_id"]), word(r["certainty"]), _iso(r["since"]),
            word(r["moved"]), _iso(r["moved_on"]), place(r["other_unit"]), r["doses"],
            yes if r["complete"] else no, _iso(r["last_dose_on"]),
            ", ".join(word(reason) for reason in needs.vulnerable(r, on)),
        ]
        for r in sorted(rows, key=_order)
    ]  # fmt: skip
    return [[translate(title, language) for title in _HEAD], *body]


def _order(row: Row) -> tuple[Any, ...]:
    lists = ("resident_present", "temporary_present", "resident_away", "not_found", "left")
    return (lists.index(row["list"]), row["household_unit"] or 0, row["address"] or "", row["household_id"] or 0,
            row["birth_date"])  # fmt: skip


def _born(row: Row) -> str:
    form = {"d": "%Y-%m-%d", "m": "%Y-%m", "y": "%Y"}[row["birth_precision"]]
    return str(row["birth_date"].strftime(form))


def _iso(day: dt.date | None) -> str:
    return day.isoformat() if day is not None else ""


def as_csv(lines: list[list[Any]]) -> bytes:
    """UTF-8 with byte order mark, as spreadsheets want it. A cell cannot begin a formula."""
    out = io.StringIO()
    csv.writer(out).writerows([[plain(cell) for cell in line] for line in lines])
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(lines: list[list[Any]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(
        out, {"in_memory": True, "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        sheet = book.add_worksheet()
        sheet.set_column(0, max(len(lines[0]) - 1, 0), 16)
        for number, line in enumerate(lines):
            sheet.write_row(number, 0, line)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(lines) - 1, 0), len(lines[0]) - 1)
    return out.getvalue()
