"""A synthetic nation: the same for a seed, shaped like the census, of plausible people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khien.core.errors import BadInput, NotFound, WrongUsage
from khien.simulation import ages, compositions, weights
from khien.simulation.nation import COLUMNS, Block, nation, shares, shares_from

ON = dt.date(2021, 9, 15)
DISTRICT = "770"
WARDS = ("27127", "27130")


def joined(blocks: Iterator[Block]) -> Block:
    parts = list(blocks)
    return {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}


def rows(block: Block) -> list[tuple[str | None, ...]]:
    return list(zip(*(block[name].tolist() for name in COLUMNS), strict=True))


@pytest.fixture(scope="module")
def country() -> Block:
    return joined(nation(people=60_000, seed=11, on=ON))


@pytest.fixture(scope="module")
def district() -> Block:
    """Large communes: in small ones the last household, which fills the commune, weighs on the shares."""
    return joined(nation(people=40_000, seed=11, on=ON, area=[DISTRICT]))


def born(block: Block) -> np.ndarray:
    return np.array([f"{date}-01-01"[:10] for date in block["birth_date"]], dtype="datetime64[D]")


def completed_years(block: Block) -> np.ndarray:
    return np.array([ON.year - int(d[:4]) - (d[5:] > f"{ON:%m-%d}") for d in block["birth_date"]])


def test_same_seed_same_people_and_another_seed_others() -> None:
    one = rows(joined(nation(people=2_000, seed=5, on=ON, area=[DISTRICT])))
    assert one == rows(joined(nation(people=2_000, seed=5, on=ON, area=[DISTRICT])))
    assert one != rows(joined(nation(people=2_000, seed=6, on=ON, area=[DISTRICT])))


def test_a_commune_is_the_same_alone_and_with_others() -> None:
    both = joined(nation(people=3_000, seed=5, on=ON, area=WARDS))
    # Its own rows: everybody whose address of today is in the ward.
    here = np.where(both["stay_commune"] == WARDS[0], WARDS[0], both["household"])
    mine = [row for row, key in zip(rows(both), here, strict=True) if key is not None and key.startswith(WARDS[0])]
    alone = joined(nation(people=len(mine), seed=5, on=ON, area=WARDS[:1]))
    guests = (alone["household"] == None) & (alone["stay_commune"] != WARDS[0])  # noqa: E711
    assert not guests.any()
    assert sorted(map(str, rows(alone))) == sorted(map(str, mine))


def test_ages_follow_the_census_carried_to_the_date(district: Block) -> None:
    group = ages.group_of(completed_years(district))
    for sex, name in enumerate(("male", "female")):
        counted = np.bincount(group[district["sex"] == name], minlength=ages.GROUPS) / len(group)
        assert np.abs(counted - ages.national(ON)[:, sex]).max() < 0.004


def test_at_the_census_date_the_shares_are_those_published() -> None:
    persons = np.array(ages.census()["ages"]["persons"], dtype=float)
    there = ages.national(ages.census()["document"]["on"])
    assert np.allclose(there.sum(axis=1), persons / persons.sum())
    assert abs(there[:, 0].sum() - 47881061 / 96208984) < 1e-9


def test_households_have_the_published_sizes(district: Block) -> None:
    keys = district["household"][district["household"] != None]  # noqa: E711
    _, size = np.unique(keys.astype(str), return_counts=True)
    counted = np.bincount(np.minimum(size, 7), minlength=8)[1:] / len(size)
    assert np.abs(counted - weights.national_sizes()).max() < 0.015


def test_every_household_has_one_living_head(country: Block) -> None:
    inside = country["household"] != None  # noqa: E711
    heads = country["household"][inside & (country["relation"] == "head")]
    assert len(heads) == len(set(heads)) == len(set(country["household"][inside]))


def test_mothers_are_18_to_42_years_older_than_their_children() -> None:
    pool = compositions.pool()
    for slot in range(compositions.SLOTS):
        mother = pool.mother[:, slot]
        here = (pool.age[:, slot] >= 0) & (mother >= 0)
        apart = pool.age[here, mother[here]] - pool.age[here, slot]
        if len(apart):
            assert apart.min() >= 19
            assert apart.max() <= 41
            assert (pool.sex[here, mother[here]] == compositions.FEMALE).all()


def test_children_bear_the_family_name_of_the_father(country: Block) -> None:
    family = np.array([name.split()[0] for name in country["name"]], dtype=object)
    index: dict[str, list[int]] = {}
    for i, key in enumerate(country["household"]):
        if key is not None:
            index.setdefault(key, []).append(i)
    checked = 0
    for members in index.values():
        by_relation = {country["relation"][i]: i for i in members}
        if "spouse" in by_relation and "child" in by_relation:
            couple = (by_relation["head"], by_relation["spouse"])
            father = next(i for i in couple if country["sex"][i] == "male")
            children = [i for i in members if country["relation"][i] == "child"]
            assert {family[i] for i in children} == {family[father]}
            checked += 1
    assert checked > 2_000


def test_personal_numbers_are_unique_and_say_sex_and_year(country: Block) -> None:
    has = country["personal_number"] != None  # noqa: E711
    numbers = country["personal_number"][has].astype(str)
    assert len(set(numbers)) == len(numbers)
    year = np.array([int(d[:4]) for d in country["birth_date"][has]])
    woman = (country["sex"][has] == "female").astype(int)
    assert [int(n[3]) for n in numbers] == ((year - 1900) // 100 * 2 + woman).tolist()
    assert [int(n[4:6]) for n in numbers] == (year % 100).tolist()
    assert all(len(n) == 12 and n[0] == "0" for n in numbers)
    assert ((country["provisional_id"] != None) == ~has).all()  # noqa: E711
    assert 0.002 < 1 - has.mean() < 0.02


@pytest.mark.parametrize("column", ["old_number", "insurance_number", "provisional_id"])
def test_other_numbers_are_unique(country: Block, column: str) -> None:
    given_numbers = [value for value in country[column] if value is not None]
    assert len(given_numbers) == len(set(given_numbers)) > 0


def test_communes_exist_and_all_kinds_of_residence_occur(country: Block) -> None:
    from khien.simulation.places import communes

    known = set(communes().code)
    for column in ("commune", "temporary_commune", "stay_commune"):
        assert set(country[column]) - {None} <= known
    for column in ("temporary_from", "stay_from", "absent_from", "died_on"):
        assert (country[column] != None).any()  # noqa: E711
    stay = country["stay_from"] != None  # noqa: E711
    length = country["stay_until"][stay].astype("datetime64[D]") - country["stay_from"][stay].astype("datetime64[D]")
    assert length.astype(int).max() < 30


def test_cards_are_issued_from_14_years_on_and_before_the_date(country: Block) -> None:
    held = country["card_kind"] != None  # noqa: E711
    issued = country["card_issued_on"][held].astype("datetime64[D]")
    assert (issued <= np.datetime64(ON)).all()
    assert ((issued - born({"birth_date": country["birth_date"][held]})).astype(int) >= 14 * 365).all()
    dead = held & (country["died_on"] != None)  # noqa: E711
    assert (country["card_issued_on"][dead].astype(str) <= country["died_on"][dead].astype(str)).all()
    chip = country["card_kind"][held] == "cccd_chip"
    assert (issued[chip] >= np.datetime64("2021-01-01")).all()
    assert "can_cuoc" not in set(country["card_kind"])


def test_more_temporary_residents_live_in_the_cities() -> None:
    city = joined(nation(people=8_000, seed=1, on=ON, area=["79"]))
    country = joined(nation(people=8_000, seed=1, on=ON, area=["17"]))
    in_city = np.mean([str(code).startswith("2") for code in city["temporary_commune"]])
    assert in_city > 0.15
    assert np.mean(country["temporary_commune"] != None) < 0.08  # noqa: E711


def test_shares_can_be_changed_by_a_file(tmp_path: Path) -> None:
    file = tmp_path / "shares.toml"
    file.write_text("[identifiers]\ninsurance = 0.0\n", encoding="utf-8")
    made = joined(nation(people=200, seed=1, on=ON, area=[DISTRICT], facts=shares_from(file)))
    assert set(made["insurance_number"]) == {None}
    file.write_text("insurance = = 1", encoding="utf-8")
    with pytest.raises(BadInput):
        shares_from(file)


def test_shares_can_be_changed() -> None:
    facts = shares(identifiers={"without_number": 1.0})
    made = joined(nation(people=200, seed=1, on=ON, area=[DISTRICT], facts=facts))
    assert set(made["personal_number"]) == {None}
    with pytest.raises(WrongUsage):
        shares(nonsense={})


@settings(max_examples=25, deadline=None)
@given(
    people=st.integers(1, 300),
    seed=st.integers(0, 2**31 - 1),
    on=st.sampled_from([dt.date(2010, 1, 1), dt.date(2020, 2, 29), ON, dt.date(2040, 12, 31)]),
)
def test_any_nation_has_exactly_so_many_people_born_before_its_date(people: int, seed: int, on: dt.date) -> None:
    made = joined(nation(people=people, seed=seed, on=on, area=["27127", "00001", "11896"]))
    assert len(made["name"]) == people
    assert all(date <= on.isoformat() for date in made["birth_date"])
    numbers = [n for n in made["personal_number"] if n is not None]
    assert len(numbers) == len(set(numbers))
    heads = made["household"][made["relation"] == "head"]
    assert len(heads) == len(set(heads))


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="999"):
        nation(people=10, seed=1, on=ON, area=["999"])
    with pytest.raises(WrongUsage):
        nation(people=10, seed=1, on=dt.date(1990, 1, 1))
    broken = tmp_path / "census.csv"
    broken.write_text("code_2019,population\n27127,5\n", encoding="utf-8")
    with pytest.raises(BadInput, match="hh1"):
        nation(people=10, seed=1, on=ON, census=broken)


@pytest.mark.shared
def test_a_census_file_sets_sizes_of_communes_and_households(shared: Path) -> None:
    folder = shared / "data" / "vietnam"
    census = folder / "census2019_commune_population_households.csv"
    made = joined(
        nation(
            people=20_000,
            seed=2,
            on=dt.date(2019, 4, 1),
            area=[DISTRICT],
            census=census,
            age_file=folder / "census2019_district_age.csv",
        )
    )
    keys = [key[:5] for key in made["household"] if key is not None]
    assert abs(keys.count("27133") / keys.count("27127") - 22383 / 16265) < 0.03
    # The district has fewer children than the country.
    assert np.mean([2019 - int(d[:4]) < 15 for d in made["birth_date"]]) < 0.21
