"""The pages as an epidemiologist and a station's head get them, and that others get nothing."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from khien.core.actor import Actor, machine
from khien.core.session import Session
from khien.tracing import actions
from tests.register import NORTH, set_today
from tests.tracing.brute import Visit
from tests.tracing.town import ALL, add_home, add_people, add_places, add_visits, at, report


@pytest.fixture(autouse=True)
def pages() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khien.core.settings")
    import django

    django.setup()


@pytest.fixture
def case_id(session: Session) -> Iterator[int]:
    add_people(session, 4)
    add_home(session, 1, 1, 2)
    set_today(session, dt.date(2021, 8, 20))
    places = add_places(session, m="market")
    add_visits(session, places, [Visit(p, "m", at(14, 8), at(14, 9)) for p in (1, 3)])
    number = report(1, dt.date(2021, 8, 15))
    actions.trace(by=ALL, persons=[1], depth=2, moment=at(17, 12))
    report(3, dt.date(2021, 8, 18))
    yield number


def get(view: object, actor: Actor, *arguments: object, **data: str) -> object:
    from django.contrib.auth.models import AnonymousUser
    from django.contrib.messages.storage.cookie import CookieStorage
    from django.test import RequestFactory

    request = RequestFactory().post("/", data) if data else RequestFactory().get("/")
    request.actor, request.posts, request.post, request.needs_second_factor = actor, [], None, False  # type: ignore[attr-defined]
    request.user, request.session = AnonymousUser(), {}  # type: ignore[assignment]
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    return view(request, *arguments)  # type: ignore[operator]


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined, no-any-return]


def local(*permissions: str) -> Actor:
    return replace(machine("epidemic-control", *permissions), area=f"{{[{NORTH},{NORTH}]}}")


def test_every_page_shows_what_it_should(case_id: int) -> None:
    from khien.tracing import views

    assert "tracing/cases/1/" in text(get(views.cases, ALL))
    page = text(get(views.case, ALL, 1, case_id))
    assert "F1" in page and 'action="/tracing/cases/1/' in page
    assert 'value="called"' in text(get(views.work, ALL))
    chains = text(get(views.chains, ALL))
    assert f'data-infector="{case_id}"' in chains
    assert text(get(views.export, ALL, "contacts")).lstrip("\ufeff").startswith("from,to,exposure")
    assert text(get(views.export, ALL, "linelist")).count("\n") == 3
    assert "client_id" in text(get(views.report, ALL, 4))


def test_a_call_is_noted_and_isolation_ordered_from_the_list(case_id: int, session: Session) -> None:
    from khien.tracing import views

    whom = {"person_id": "2", "case_person_id": "1", "case_id": str(case_id)}
    get(views.work, local("contact.read", "contact.work"), state="called", **whom)
    assert session.value("SELECT state FROM contact WHERE person_id = 2") == "called"
    get(views.work, ALL, state="isolated", **whom)
    assert session.value("SELECT state FROM contact WHERE person_id = 2 AND case_person_id = 1") == "isolated"


def test_a_decided_link_stands_above_the_estimate(case_id: int, session: Session) -> None:
    from khien.tracing.network import network

    second = session.value("SELECT case_id FROM case_report WHERE person_id = 3")
    assert network(by=ALL).links == {3: (1, pytest.approx(1, abs=0.1))}
    actions.decide_link(by=ALL, person_id=3, case_id=second, infector=None, reason="Đã đi nước ngoài")
    assert network(by=ALL).links == {}


def test_what_was_wrong_stays_in_its_form(case_id: int, session: Session) -> None:
    from khien.tracing import views

    wrong = get(views.link, ALL, 1, case_id, infector="x1", reason="Cùng xe")
    assert wrong.status_code == 422  # type: ignore[attr-defined]
    page = text(wrong)
    assert 'value="x1"' in page and 'value="Cùng xe"' in page and "nhsuk-error-message" in page
    absent = get(views.link, ALL, 1, case_id, infector="999999", reason="Cùng xe")
    assert absent.status_code == 422 and 'href="#link_infector"' in text(absent)  # type: ignore[attr-defined]
    assert text(absent).count('id="link_reason"') == text(absent).count('id="id_reason"') == 1
    wrong = get(views.change, ALL, 1, case_id, state="nonsense", reason="Vì sao")
    assert wrong.status_code == 422 and 'value="Vì sao"' in text(wrong)  # type: ignore[attr-defined]
    assert get(views.link, ALL, 1, case_id, infector="", reason="Từ nơi khác").status_code == 302  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", ["change", "link"])
def test_who_may_not_see_a_case_does_not_see_it_by_a_form_that_is_wrong(case_id: int, form: str) -> None:
    from khien.tracing import views

    for allowed in (("case.report", "trace.run"), ("case.report", "trace.run", "case.read")):
        answer = get(getattr(views, form), local(*allowed), 1, case_id, reason="")
        assert answer.status_code == 302 and "/login/" in answer.url  # type: ignore[attr-defined]


def test_pages_of_contacts_are_those_of_the_case_where_a_form_was_wrong(
    case_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from khien.tracing import store, views

    monkeypatch.setattr(store, "PAGE", 1)
    own = f'href="/tracing/cases/1/{case_id}/?page=2"'
    assert own in text(get(views.case, ALL, 1, case_id))
    assert own in text(get(views.change, ALL, 1, case_id, state="nonsense", reason=""))
    assert own in text(get(views.link, ALL, 1, case_id, infector="x1", reason=""))
