"""What holds clusters together, and the tables that go to epidemiology packages."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from khien.core.session import Session
from khien.tracing import actions, clusters
from khien.tracing.network import Network, network
from tests.register import set_today
from tests.tracing.brute import Visit
from tests.tracing.test_pages import get, pages, text  # noqa: F401 - a fixture
from tests.tracing.town import ALL, add_people, add_places, add_visits, at, report


@given(
    groups=st.lists(st.lists(st.integers(0, 40), max_size=6), max_size=6),
    met=st.lists(st.sets(st.integers(0, 40), max_size=5), max_size=10),
)
def test_who_bridges_is_who_was_met_by_cases_of_two_clusters(groups: list[list[int]], met: list[set[int]]) -> None:
    seen: set[int] = set()
    apart = []
    for group in groups:
        apart.append([p for p in dict.fromkeys(group) if p not in seen])
        seen |= set(group)
    rows = [{"person_id": 100 + n, "cases": sorted(cases)} for n, cases in enumerate(met)]
    found = {b["person_id"]: b["clusters"] for b in clusters.bridging(rows, apart)}
    for row in rows:
        of = [n for n, members in enumerate(apart, 1) if set(members) & set(row["cases"])]
        assert found.get(row["person_id"], []) == (of if len(of) > 1 else [])


def outbreak(session: Session) -> Network:
    """Cases 1 and 2 of one chain, 3 alone; contact 4 met 1 and 3; five cases had all been at one market."""
    add_people(session, 60)
    set_today(session, dt.date(2021, 8, 20))
    places = add_places(session, cho="market", xuong="work", quan="restaurant")
    visits = [Visit(p, "cho", at(8, 8), at(8, 9)) for p in (1, 5, 6, 7, 8)]
    visits += [Visit(p, "xuong", at(13, 8), at(13, 16)) for p in (1, 2, 4)]
    visits += [Visit(p, "quan", at(16, 8), at(16, 9)) for p in (3, 4)]
    add_visits(session, places, visits)
    for person, day in ((1, 13), (2, 17), (3, 15), (5, 14), (6, 14), (7, 14), (8, 14)):
        report(person, dt.date(2021, 8, day))
    actions.trace(by=ALL, persons=[1, 3])
    return network(by=ALL)


def test_the_market_explains_its_cases_and_a_contact_bridges(session: Session) -> None:
    net = outbreak(session)
    held = clusters.held(by=ALL, net=net)
    assert (held.places[0]["code"], held.places[0]["cases"], held.places[0]["visitors"]) == ("cho", 5, 5)
    assert [b["person_id"] for b in held.bridges] == [4]
    from khien.tracing import views

    page = text(get(views.held, ALL))
    assert "cho" in page


def test_the_tables_hold_numbers_of_cases_and_no_names(session: Session) -> None:
    net = outbreak(session)
    rows = clusters.table(by=ALL, net=net, name="linelist")
    assert rows[0][:2] == ["id", "date_onset"] and len(rows) == 8
    assert not any("Nguyễn" in str(cell) for row in rows for cell in row)
    links = clusters.table(by=ALL, net=net, name="contacts")
    assert links[0] == ["from", "to", "exposure", "certainty", "source"] and len(links) > 1
    from khien.tracing import views

    answer = get(views.export, ALL, "linelist", "xlsx")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:  # type: ignore[attr-defined]
        assert "xl/worksheets/sheet1.xml" in book.namelist()
