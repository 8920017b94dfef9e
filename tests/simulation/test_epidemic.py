"""A simulated epidemic: its chains hold together, its size is sensible, its observations fit its truth."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from khien.cli import main
from khien.core.errors import BadInput, WrongUsage
from khien.simulation import extract
from khien.simulation import residents as people
from khien.simulation.course import NEVER, drawn, incubation
from khien.simulation.epidemic import Epidemic, parameters
from khien.simulation.mixing import HOME, IMPORTED, SETTINGS, Visits, at_home, meetings
from khien.simulation.nation import COLUMNS, nation
from khien.simulation.observation import simulated

DAY = dt.date(2021, 9, 15)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nation") / "people.parquet"
    extract.write(nation(people=12_000, seed=4, on=DAY, area=["770"]), path, COLUMNS)
    return path


@pytest.fixture(scope="module")
def residents(file: Path) -> people.Residents:
    return people.read(file, DAY)


@pytest.fixture(scope="module")
def over(residents: people.Residents) -> Iterator[Epidemic]:
    """An epidemic that has run for forty days."""
    epidemic = Epidemic(residents, seed=9, first_day=DAY, imported=20)
    for _ in epidemic.days(40):
        pass
    yield epidemic


@pytest.fixture(scope="module")
def written(residents: people.Residents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an epidemic of which every visit was recorded."""
    folder = tmp_path_factory.mktemp("epidemic")
    simulated(Epidemic(residents, seed=9, first_day=DAY, imported=20), days=25, scan=1.0, folder=folder)
    return folder


def ask(question: str, folder: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect() as database:
        for name in ("visits", "cases", "places", "truth/infections"):
            database.read_parquet(str(folder / f"{name}.parquet")).create_view(name.split("/")[-1])
        return database.execute(question).fetchall()


def infections(epidemic: Epidemic) -> np.ndarray:
    return np.flatnonzero(epidemic.infected < NEVER)


def test_every_infector_was_infectious_that_day(over: Epidemic) -> None:
    passed_on = infections(over)
    passed_on = passed_on[over.infector[passed_on] >= 0]
    by, day = over.infector[passed_on], over.infected[passed_on]
    assert (over.infected[by] < day).all()
    assert (over.courses.infectious_from[by] <= day).all()
    assert (day < over.courses.infectious_until[by]).all()
    assert (over.generation[passed_on] == over.generation[by] + 1).all()
    assert (over.courses.reported[by] > day).all()  # the reported are isolated


def test_home_infections_stay_in_the_home(over: Epidemic) -> None:
    at = infections(over)
    at = at[over.setting[at] == HOME]
    assert len(at) > 50
    assert (over.residents.home[at] == over.residents.home[over.infector[at]]).all()


def test_all_settings_take_part_and_only_the_first_came_from_outside(over: Epidemic) -> None:
    who = infections(over)
    assert set(over.setting[who]) == {IMPORTED, *range(len(SETTINGS))}
    assert (over.setting[who] == IMPORTED).sum() == 20
    assert (over.infected[who][over.setting[who] == IMPORTED] == 0).all()


def test_the_epidemic_grows_and_does_not_infect_more_than_there_are(over: Epidemic) -> None:
    assert 0.4 < len(infections(over)) / len(over.residents) < 0.99


def test_early_cases_infect_about_as_many_as_the_reproduction_number_says(residents: people.Residents) -> None:
    facts = parameters(3.0)
    quiet = {
        **facts,
        "dispersion": {"shape": 50.0},
        "behaviour": {"stay_home_when_ill": 0.0},
        "detection": {**facts["detection"], "symptomatic_tested": 0, "asymptomatic_tested": 0},
    }
    epidemic = Epidemic(residents, seed=2, first_day=DAY, imported=150, facts=quiet)
    for _ in epidemic.days(14):
        pass
    first = epidemic.infector[(epidemic.infector >= 0) & (epidemic.generation == 1)]
    # Adults meet more people than the young and old, so those who start it infect more than the mean.
    assert 2.4 < len(first) / 150 < 4.8


def test_serial_interval_is_about_four_days(over: Epidemic) -> None:
    who = infections(over)
    who = who[(over.infector[who] >= 0) & (over.generation[who] <= 3)]
    serial = over.courses.onset[who] - over.courses.onset[over.infector[who]]
    assert 3.2 < serial.mean() < 5.2


def test_no_transmission_without_infectiousness(residents: people.Residents) -> None:
    epidemic = Epidemic(residents, seed=2, first_day=DAY, imported=30, facts=parameters(0.0))
    for _ in epidemic.days(20):
        pass
    assert len(infections(epidemic)) == 30


def test_vaccination_lowers_the_attack_rate(residents: people.Residents, over: Epidemic) -> None:
    facts = parameters()
    guarded = {**facts, "vaccination": {**facts["vaccination"], "shares": [0.9] * 9}}
    epidemic = Epidemic(residents, seed=9, first_day=DAY, imported=20, facts=guarded)
    for _ in epidemic.days(40):
        pass
    assert len(infections(epidemic)) < 0.8 * len(infections(over))


def test_incubation_has_the_published_mean_and_quantile() -> None:
    facts = parameters()["incubation"]
    place, scale = incubation(facts)
    assert np.isclose(np.exp(place + scale**2 / 2), facts["mean"])
    assert np.isclose(np.exp(place + 1.959964 * scale), facts["quantile_975"], atol=1e-4)


def test_severity_rises_with_age() -> None:
    rng, facts = np.random.default_rng(1), parameters()
    nobody = np.zeros(40_000, dtype=bool)
    young, old = (drawn(0, np.full(40_000, age), nobody, facts, rng) for age in (25, 85))
    assert (young.died < NEVER).mean() < 0.002
    assert 0.08 < (old.died < NEVER).mean() < 0.12
    assert (old.reported[old.severity == 1] < NEVER).all()


def test_meetings_are_exactly_the_overlapping_pairs() -> None:
    rng = np.random.default_rng(8)
    n = 300
    start = rng.integers(0, 600, n)
    visits = Visits(
        rng.integers(0, 60, n), rng.integers(0, 12, n), np.ones(n, int), start, start + rng.integers(1, 90, n)
    )
    sources = rng.random(60) < 0.3
    found = meetings(visits, sources, np.full(5, 1e9))
    expected = sorted(
        (a, b, p, max(s, t), min(e, f))
        for a, p, s, e in zip(visits.person, visits.place, visits.start, visits.end, strict=True)
        for b, q, t, f in zip(visits.person, visits.place, visits.start, visits.end, strict=True)
        if sources[a] and a != b and p == q and max(s, t) < min(e, f)
    )
    assert sorted(zip(found.source, found.other, found.place, found.start, found.end, strict=True)) == expected


def test_at_home_meets_everybody_else_present() -> None:
    home = np.array([0, 1, 0, 0, 2, 1])
    present = np.array([True, True, True, False, True, True])
    met = at_home(home, np.array([0, 4, 5]), present, 10)
    assert list(zip(met.source.tolist(), met.other.tolist(), strict=True)) == [(0, 2), (5, 1)]


def test_with_every_visit_recorded_each_infection_outside_the_home_is_a_meeting_on_record(written: Path) -> None:
    outside, covered = ask(
        """
        SELECT count(*), count(*) FILTER (
            EXISTS (SELECT 1 FROM visits v WHERE v.personal_number = i.personal_number AND v.place = i.place
                    AND i.infected_at BETWEEN v."from" AND v."to")
            AND EXISTS (SELECT 1 FROM visits v WHERE v.personal_number = i.infector AND v.place = i.place
                        AND i.infected_at BETWEEN v."from" AND v."to"))
        FROM infections i
        WHERE i.setting NOT IN ('home', 'imported')
        """,
        written,
    )[0]
    assert outside == covered > 200


def test_files_fit_together(written: Path) -> None:
    assert ask("SELECT count(*) FROM visits WHERE place NOT IN (SELECT place FROM places)", written) == [(0,)]
    assert ask('SELECT count(*) FROM visits WHERE "to" <= "from"', written) == [(0,)]
    assert ask("SELECT count(*) FROM cases ANTI JOIN infections USING (personal_number)", written) == [(0,)]
    late = ask("SELECT count(*) FROM cases WHERE reported_on < sampled_on OR reported_on >= DATE '2021-10-10'", written)
    assert late == [(0,)]
    missed = ask("SELECT count(*) FILTER (reported_on IS NULL) / count(*) FROM infections", written)[0][0]
    assert 0.3 < missed < 0.7
    times = ask("SELECT min(\"from\")::VARCHAR FROM visits WHERE place LIKE 'W%'", written)[0][0]
    assert "2021-09-15" in times


def digests(folder: Path) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*.parquet"))]


def test_same_seed_same_bytes_and_recording_does_not_change_the_truth(
    residents: people.Residents, tmp_path: Path
) -> None:
    for name, seed, scan in (("a", 1, 0.3), ("b", 1, 0.3), ("c", 1, 0.9), ("d", 2, 0.3)):
        simulated(Epidemic(residents, seed=seed, first_day=DAY), days=12, scan=scan, folder=tmp_path / name)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert digests(tmp_path / "a" / "truth") == digests(tmp_path / "c" / "truth") != digests(tmp_path / "d" / "truth")


def test_recorded_share_is_as_asked(residents: people.Residents, tmp_path: Path) -> None:
    counts = [
        simulated(Epidemic(residents, seed=1, first_day=DAY), days=5, scan=scan, folder=tmp_path / f"{scan}").visits
        for scan in (1.0, 0.25)
    ]
    assert 0.23 < counts[1] / counts[0] < 0.27


def test_people_are_where_their_residence_says(file: Path, residents: people.Residents) -> None:
    with duckdb.connect() as database:
        rows = database.execute("SELECT * FROM read_parquet(?) WHERE died_on IS NOT NULL", [str(file)]).fetchall()
    assert rows
    assert not {row[0] for row in rows} & set(residents.key)
    assert len(set(residents.key)) == len(residents)
    assert np.bincount(residents.home).max() <= 12


def test_mistakes_are_named(residents: people.Residents, tmp_path: Path) -> None:
    wrong = tmp_path / "other.csv"
    wrong.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(BadInput):
        people.read(wrong, DAY)
    with pytest.raises(WrongUsage):
        Epidemic(residents, seed=1, first_day=DAY, imported=10**9)


def test_command_line(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    words = ["simulate", "epidemic", "--nation", str(file), "--days", "5", "--r0", "2.5", "-o", str(folder), "--json"]
    main(words)
    assert '"infections": ' in capsys.readouterr().out
    assert (folder / "truth" / "infections.parquet").exists()
