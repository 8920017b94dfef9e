"""The navigation leads to pages that exist, for permissions that exist."""

from __future__ import annotations

import pytest
from django.http import HttpRequest
from django.template.loader import get_template
from django.urls import reverse

from khien.access.roles import permissions
from khien.core.actor import machine
from khien.web.navigation import ENTRIES, Entry, links


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.url_name)
def test_an_entry_leads_to_a_page_for_a_permission_that_exists(entry: Entry) -> None:
    assert reverse(entry.url_name).startswith("/")
    assert not entry.permission or entry.permission in permissions()
    assert f'"{entry.icon}"' in get_template("web/icon.html").template.source


def asked(*held: str) -> HttpRequest:
    request = HttpRequest()
    request.path = "/"
    vars(request)["actor"] = machine("test", *held)
    return request


def test_who_may_nothing_sees_nothing() -> None:
    assert list(links(asked(), public=False)) == []


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.permission], ids=lambda entry: entry.url_name)
def test_a_permission_opens_its_own_entries_alone(entry: Entry) -> None:
    shown = {link.title for link in links(asked(entry.permission), public=False)}
    assert shown == {other.title for other in ENTRIES if other.permission == entry.permission}


@pytest.mark.parametrize("beside", ["access:accounts", "access:agencies", "access:keys"])
def test_a_list_beside_an_entry_stands_under_it(beside: str) -> None:
    request = asked("account.manage")
    request.path = reverse(beside)
    assert [link.url for link in links(request, public=False) if link.current] == [reverse("access:accounts")]


def test_below_two_entries_the_nearer_one_is_current() -> None:
    request = asked("case.read", "contact.read")
    request.path = reverse("tracing:work")
    assert request.path.startswith(reverse("tracing:cases"))
    assert [link.url for link in links(request, public=False) if link.current] == [request.path]
