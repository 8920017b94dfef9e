"""What stands in the navigation and on the start page. A capability with pages adds its entries here.

In the order of the house (DESIGN §3). Who lacks the permission does not see the entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Entry:
    """`permission` "" is for everybody, signed in or not. `icon` is a symbol in templates/web/icons.html."""

    title: str  # English, marked with N_
    url_name: str  # takes no arguments
    permission: str
    about: str  # one sentence for the tile of the start page, marked with N_
    icon: str = "shield"


@dataclass(frozen=True, slots=True)
class Link:
    title: str
    url: str
    about: str
    icon: str
    current: bool


ENTRIES: tuple[Entry, ...] = ()


def links(request: HttpRequest, *, public: bool) -> Iterator[Link]:
    """The entries for everybody (`public`), or those that this actor's permissions open."""
    actor = request.actor
    for entry in ENTRIES:
        if bool(entry.permission) == public or (entry.permission and not actor.may(entry.permission)):
            continue
        url = reverse(entry.url_name)
        yield Link(entry.title, url, entry.about, entry.icon, request.path.startswith(url))
