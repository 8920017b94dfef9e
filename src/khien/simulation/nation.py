"""A synthetic nation: people with names, kin, numbers, cards and residence, in the columns of a register extract.

Randomness is drawn commune by commune, from a generator seeded with (seed, commune), and shaped block by block: so a
commune of so many people is the same whether it is made alone or with others, and no loop runs over people.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from khien.core.errors import BadInput, WrongUsage
from khien.core.i18n import N_
from khien.core.text import read_utf8
from khien.rulebook import load
from khien.simulation import ages, compositions
from khien.simulation.cards import CMND, KINDS, NEVER, NONE, Cards, cards, day_number
from khien.simulation.compositions import RELATIONS
from khien.simulation.households import Lottery, Members, drawn
from khien.simulation.names import family_names, full_names
from khien.simulation.numbers import BirthNumbers, rank_within, scattered
from khien.simulation.places import (
    Communes,
    addresses,
    ages_by_district,
    communes,
    is_north,
    shared_out,
    with_census,
)
from khien.simulation.residence import GUEST, HERE, Geography, Residence, resided

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Block = dict[str, NDArray[np.object_]]

COLUMNS = (
    "personal_number", "provisional_id", "name", "birth_date", "sex", "nationality", "old_number", "insurance_number",
    "card_kind", "card_issued_on", "card_expires_on", "household", "relation", "commune", "address",
    "temporary_commune", "temporary_address", "temporary_from", "temporary_until",
    "stay_commune", "stay_address", "stay_from", "stay_until", "absent_from", "absent_until", "died_on",
)  # fmt: skip

# One uniform number a person each, drawn in this order; a new one goes to the end, so that older nations stay the same.
DRAWS = (
    "household", "home_birth", "moved", "origin", "mobile", "target", "since", "until", "lapsed", "birth", "precision",
    "birth_province", "has_number", "old_number", "insurance", "card", "issued", "middle", "given",
    *(f"family_{line}" for line in range(compositions.LINES)),
    "street", "house", "alley", "other_street", "other_house", "other_alley", "death", "death_day",
)  # fmt: skip
_COLUMN = {name: i for i, name in enumerate(DRAWS)}
_BLOCK_PEOPLE = 40_000
_LARGEST_COMMUNE = 94_000  # times 10,599 communes stays below the thousand million of nine-digit numbers
_ABSENT = np.array(None, dtype=object)
_SEXES = np.array(["male", "female"], dtype=object)


@dataclass(frozen=True, slots=True)
class _Makers:
    """What all blocks of one nation share."""

    base: Communes
    lottery: Lottery
    geography: Geography
    births: BirthNumbers
    facts: dict[str, Any]
    seed: int
    on: dt.date


def shares(**changes: dict[str, Any]) -> dict[str, Any]:
    """The shares of residence kinds, identifiers, cards and deaths, with `changes` by table laid over them."""
    facts = load("simulation", "residence")
    if unknown := set(changes) - set(facts):
        raise WrongUsage(N_("There is no table of shares called {name}."), name=sorted(unknown)[0])
    return {name: {**table, **changes.get(name, {})} for name, table in facts.items()}


def shares_from(path: Path) -> dict[str, Any]:
    """Shares with those of a TOML file laid over them (tables as in rulebook/simulation/residence.toml).

    Raises BadInput for a file that is no TOML or holds something else than tables, WrongUsage for an unknown table.
    """
    try:
        given = tomllib.loads(read_utf8(path))
    except tomllib.TOMLDecodeError:
        raise BadInput(N_("The file of shares is not valid TOML.")) from None
    if any(not isinstance(table, dict) for table in given.values()):
        raise BadInput(N_("The file of shares is not valid TOML."))
    return shares(**given)


def nation(
    *,
    people: int,
    seed: int,
    on: dt.date,
    area: Sequence[str] = (),
    census: Path | None = None,
    age_file: Path | None = None,
    facts: dict[str, Any] | None = None,
) -> Iterator[Block]:
    """Blocks of whole communes, each a dict from COLUMNS to text arrays (None = absent), `people` rows in all.

    area: official codes of 2021 (province 2, district 3, commune 5 digits); empty = the whole country. People divide
    among its communes by the census file (see `places.with_census`) or by plausible sizes. age_file: ages by district.
    facts: from `shares()`. Raises WrongUsage, NotFound (a code), BadInput (a file) before the first block.
    """
    if people < 1 or not 0 <= seed < 2**31:
        raise WrongUsage(N_("A nation needs at least one person, and a seed from 0 to 2147483647."))
    base = communes() if census is None else with_census(communes(), census)
    chosen = base.within(area)
    district_ages = {} if age_file is None else ages_by_district(base, age_file)
    facts = facts or shares()
    lottery = Lottery(base, on, district_ages)
    geography = Geography(base, lottery, facts)
    births = BirthNumbers(base.people, geography.province, geography.migrants, seed)
    makers = _Makers(base, lottery, geography, births, facts, seed, on)
    many = shared_out(people, base.people[chosen])
    return _blocks(makers, chosen[many > 0], many[many > 0])


def _blocks(makers: _Makers, chosen: Ints, many: Ints) -> Iterator[Block]:
    block = np.cumsum(many) // _BLOCK_PEOPLE
    for number in np.unique(block):
        inside = block == number
        yield _block(makers, chosen[inside], many[inside])


def _block(makers: _Makers, chosen: Ints, many: Ints) -> Block:
    codes = makers.base.code[chosen]
    uniform = np.concatenate(
        [
            np.random.default_rng(np.random.SeedSequence([makers.seed, int(code)])).random((n, len(DRAWS)))
            for code, n in zip(codes, many.tolist(), strict=True)
        ]
    )

    def draw(name: str) -> Floats:
        column: Floats = uniform[:, _COLUMN[name]]
        return column

    members = drawn(makers.lottery, chosen, many, draw("household"))
    today = day_number(makers.on)
    residence = resided(members, makers.geography, draw, today)
    born = ages.birth_days(members.age, draw("birth"), makers.on)
    years = born.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    ids = _identifiers(makers, members, residence, years, born, draw)
    died = _deaths(makers, members, residence, born, draw, today)
    alive_until = np.where(died == NEVER, today, died)
    held = cards(
        born,
        alive_until,
        ids["has_number"].astype(bool),
        draw("card"),
        draw("issued"),
        makers.on,
        makers.facts["cards"],
    )
    family = _family_names(makers, members, residence, draw)
    base, facts = makers.base, makers.facts["identifiers"]
    block: Block = {
        "personal_number": ids["personal_number"],
        "provisional_id": ids["provisional_id"],
        "name": full_names(family, members.sex, years, draw("middle"), draw("given")),
        "birth_date": _birth_dates(born, members.age, draw("precision"), facts),
        "sex": _SEXES[members.sex],
        "nationality": np.full(len(born), "VNM", dtype=object),
        "old_number": _where(ids["old"].astype(bool) | (held.kind == CMND), ids["nine"]),
        "insurance_number": ids["insurance_number"],
        **_card_columns(held),
        "household": _household_keys(base, members, residence),
        "relation": _where(residence.kind != GUEST, RELATIONS[members.relation]),
        **_residence_columns(base, members, residence, draw),
        "died_on": _dates(died),
    }
    return {name: block[name] for name in COLUMNS}


def _identifiers(
    makers: _Makers, members: Members, residence: Residence, years: Ints, born: Ints, draw: Callable[[str], Floats]
) -> Block:
    """Personal numbers where people have one and else the sender's key, 9-digit numbers, insurance numbers."""
    facts, provinces = makers.facts["identifiers"], makers.geography.province
    home = provinces[residence.permanent]
    away = provinces[makers.geography.elsewhere(home, draw("birth_province"))]
    stayed = draw("home_birth") < makers.facts["residence"]["born_in_home_province"]
    registered = np.where(stayed, home, away)
    century = (years - 1900) // 100 * 2 + members.sex
    last = makers.births.give(members.commune, registered, century, years % 100)
    has = (last >= 0) & (draw("has_number") >= facts["without_number"])
    rank = rank_within(members.commune)
    key = np.full(len(rank), makers.seed, dtype=np.int64)
    running = members.commune * _LARGEST_COMMUNE + rank
    nine = scattered(running % 10**9, 1_000, 1_000_000, key)
    ten = scattered(running, 100_000, 100_000, key + 1)
    fits = rank < _LARGEST_COMMUNE
    paper_days = day_number(makers.facts["cards"]["chip_from"]) - int(14 * 365.2425)
    old = fits & (born < paper_days) & (draw("old_number") < facts["old_number"])
    codes = makers.base.code[members.commune]
    text = np.array(
        [
            f"{p:03d}{c}{y:02d}{r:06d}" if h else None
            for p, c, y, r, h in zip(
                registered.tolist(), century.tolist(), (years % 100).tolist(), last.tolist(), has.tolist(), strict=True
            )
        ],
        dtype=object,
    )
    return {
        "has_number": has,
        "personal_number": text,
        "provisional_id": _where(~has, [f"T{c}{r:06d}" for c, r in zip(codes, rank.tolist(), strict=True)]),
        "old": old.astype(object),
        "nine": _where(fits, [f"{x:09d}" for x in nine.tolist()]),
        "insurance_number": _where(
            fits & (draw("insurance") < facts["insurance"]), [f"{x:010d}" for x in ten.tolist()]
        ),
    }


def _where(condition: NDArray[np.bool_], texts: Sequence[str] | NDArray[np.object_]) -> NDArray[np.object_]:
    """The texts where the condition holds, else None."""
    return np.where(condition, np.asarray(texts, dtype=object), _ABSENT)


def _family_names(
    makers: _Makers, members: Members, residence: Residence, draw: Callable[[str], Floats]
) -> NDArray[np.object_]:
    """The family name of each person's line: a draw of the household's, so that father and children share it."""
    lines = np.column_stack([draw(f"family_{line}") for line in range(compositions.LINES)])
    north = is_north(makers.base.province)[residence.permanent]
    return family_names(lines[members.head, members.line], north)


def _birth_dates(born: Ints, age: Ints, draw: Floats, facts: dict[str, Any]) -> NDArray[np.object_]:
    """YYYY-MM-DD; the year alone, or year and month, for some of the old."""
    texts = _dates(born)
    old = age >= facts["year_only_birth_from_age"]
    year = old & (draw < facts["year_only_birth"])
    month = old & ~year & (draw < facts["year_only_birth"] + facts["month_only_birth"])
    texts[year] = [t[:4] for t in texts[year]]
    texts[month] = [t[:7] for t in texts[month]]
    return texts


def _dates(days: Ints) -> NDArray[np.object_]:
    """YYYY-MM-DD for days since 1970-01-01, None for NEVER."""
    texts = np.full(len(days), None, dtype=object)
    there = np.flatnonzero(days != NEVER)
    texts[there] = np.datetime_as_string(days[there].astype("datetime64[D]")).astype(object)
    return texts


def _card_columns(held: Cards) -> Block:
    return {
        "card_kind": _where(held.kind != NONE, KINDS[held.kind]),
        "card_issued_on": _dates(held.issued),
        "card_expires_on": _dates(held.expires),
    }


def _household_keys(base: Communes, members: Members, residence: Residence) -> NDArray[np.object_]:
    """Commune and running number within it. Guests belong to a household elsewhere that the extract does not hold."""
    commune = members.commune[members.first]
    number = rank_within(commune)
    keys = np.array(
        [f"{base.code[c]}-{n:06d}" for c, n in zip(commune.tolist(), number.tolist(), strict=True)], dtype=object
    )
    return _where(residence.kind != GUEST, keys[members.household])


def _residence_columns(base: Communes, members: Members, residence: Residence, draw: Callable[[str], Floats]) -> Block:
    n, head = len(members.age), members.head
    here = np.array(
        addresses(members.commune, draw("street")[head], draw("house")[head], draw("alley")[head]), dtype=object
    )
    moved = residence.kind != HERE
    target = np.where(moved, residence.permanent, np.maximum(residence.temporary, residence.stay))
    there = np.full(n, None, dtype=object)
    out = np.flatnonzero(target >= 0)
    # A household that came together is registered at one address; who left alone stays at one of their own.
    row = np.where(moved, head, np.arange(n))[out]
    there[out] = addresses(target[out], draw("other_street")[row], draw("other_house")[row], draw("other_alley")[row])
    present = np.where(moved, here, there)
    return {
        "commune": base.code[residence.permanent],
        "address": np.where(moved, there, here),
        "temporary_commune": _where(residence.temporary >= 0, base.code[residence.temporary]),
        "temporary_address": _where(residence.temporary >= 0, present),
        "temporary_from": _dates(residence.temporary_from),
        "temporary_until": _dates(residence.temporary_until),
        "stay_commune": _where(residence.stay >= 0, base.code[residence.stay]),
        "stay_address": _where(residence.stay >= 0, present),
        "stay_from": _dates(residence.stay_from),
        "stay_until": _dates(residence.stay_until),
        "absent_from": _dates(residence.absent_from),
        "absent_until": _dates(residence.absent_until),
    }


def _deaths(
    makers: _Makers, members: Members, residence: Residence, born: Ints, draw: Callable[[str], Floats], today: int
) -> Ints:
    """Days of death. A household that lost its head has another by now, so only other members and the lonely die."""
    days = makers.facts["deaths"]["days"]
    rate = ages.mortality()[ages.group_of(members.age)] * days / 365.2425
    mortal = ((members.size == 1) | (members.relation != 0)) & residence.settled
    day = np.maximum(today - 1 - np.floor(draw("death_day") * days).astype(np.int64), born)
    return np.where(mortal & (draw("death") < rate), day, NEVER)
