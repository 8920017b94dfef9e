"""What stands in the navigation and on the start page. A capability with pages adds its entries here.

In the order of the house (DESIGN §3). Who lacks the permission does not see the entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from khien.core.i18n import N_


@dataclass(frozen=True, slots=True)
class Entry:
    """`permission` "" is for everybody, signed in or not. `icon` is a name in templates/web/icon.html."""

    title: str  # English, marked with N_
    url_name: str  # takes no arguments
    permission: str
    about: str  # one sentence for the tile of the start page, marked with N_
    icon: str = "shield"
    also: tuple[str, ...] = ()  # lists beside it that stand under this entry too


@dataclass(frozen=True, slots=True)
class Link:
    title: str
    url: str
    about: str
    icon: str
    current: bool


ENTRIES: tuple[Entry, ...] = (
    Entry(
        N_("My record"),
        "access:own_record",
        "person.own",
        N_("Your personal data, your vaccinations, and who looked at them."),
        "key",
    ),
    Entry(
        N_("Scan a card"),
        "population:scan",
        "person.open",
        N_("Open the record of the person in front of you by their card."),
        "card",
    ),
    Entry(
        N_("Find a person"),
        "population:search",
        "person.search",
        N_("Find a person of your area by name or number."),
        "search",
    ),
    Entry(
        N_("Vaccination sessions"),
        "vaccination:sessions",
        "campaign.read",
        N_("Today's sessions, the desk, and who is under observation."),
        "syringe",
    ),
    Entry(
        N_("Vaccination campaigns"),
        "vaccination:campaigns",
        "campaign.read",
        N_("Who is due, called and vaccinated, commune by commune."),
        "list",
    ),
    Entry(
        N_("Vaccine stock"),
        "vaccination:stock",
        "stock.read",
        N_("What is left of each lot, and what is blocked or expires soon."),
        "list",
    ),
    Entry(
        N_("Reactions after vaccination"),
        "vaccination:events",
        "event.read",
        N_("Reports with their due dates, and lots that stand out."),
        "form",
    ),
    Entry(
        N_("Checkpoint"),
        "checkpoints:barrier",
        "passage.record",
        N_("Scan a card or a pass, read the answer, record the passage."),
        "gate",
    ),
    Entry(
        N_("Arrivals and departures"),
        "checkpoints:notices",
        "residence.write",
        N_("Who has come to your commune or left it, declared or seen at a checkpoint."),
        "list",
    ),
    Entry(
        N_("Checkpoints of the country"),
        "checkpoints:figures",
        "checkpoint.figures",
        N_("Passages, mismatches, and checkpoints that are slow or silent."),
        "chart",
    ),
    Entry(
        N_("Movement declaration"),
        "checkpoints:declare",
        "",
        N_("Declare a journey and get a code for checkpoints, for you and your family."),
        "form",
    ),
    Entry(
        N_("Epidemic zones"),
        "zones:zones",
        "zone.read",
        N_("Zones and grades of any day, who is inside and who has left."),
        "map",
    ),
    Entry(
        N_("My commune"),
        "zones:tasks",
        "zone.people",
        N_("People who came from zones: whom to visit, who was seen."),
        "search",
    ),
    Entry(
        N_("Cases and contacts"),
        "tracing:cases",
        "case.read",
        N_("Cases of your area, their contacts by risk, and who may have infected them."),
        "trace",
    ),
    Entry(
        N_("Contacts to follow"),
        "tracing:work",
        "contact.read",
        N_("Contacts in your area to call, visit, sample or isolate."),
        "list",
    ),
    Entry(
        N_("Places and codes"),
        "tracing:places",
        "place.manage",
        N_("Register places where people check in, and print their posters."),
        "form",
    ),
    Entry(
        N_("Check in at a place"),
        "tracing:find_place",
        "",
        N_("Scan the code on a poster, so that you are told if you were near somebody ill."),
        "card",
    ),
    Entry(
        N_("Vaccination coverage"),
        "coverage:coverage",
        "coverage.read",
        N_("Who has had how many doses, by area, on a map and in a table."),
        "map",
    ),
    Entry(
        N_("Access log"),
        "access:log",
        "access.audit",
        N_("Who did what on which day, and whether the log is whole."),
        "list",
    ),
    Entry(
        N_("Nightly jobs"),
        "jobs",
        "job.read",
        N_("What the system does every night, and how it last ended."),
        "list",
    ),
    Entry(
        N_("Accounts and agencies"),
        "access:accounts",
        "account.manage",
        N_("Accounts, their posts, and agencies."),
        "key",
        ("access:agencies", "access:keys"),
    ),
)


def links(request: HttpRequest, *, public: bool) -> Iterator[Link]:
    """The entries for everybody (`public`), or those that this actor's permissions open."""
    actor = request.actor
    opened = [(e, reverse(e.url_name)) for e in ENTRIES if not e.permission or actor.may(e.permission)]
    # /tracing/contacts/ lies below /tracing/: the entry that says most about where one is, is the current one.
    below = [
        (url, under) for e, url in opened for under in (url, *map(reverse, e.also)) if request.path.startswith(under)
    ]
    here, _under = max(below, key=lambda pair: len(pair[1]), default=("", ""))
    for entry, url in opened:
        if bool(entry.permission) != public:
            yield Link(entry.title, url, entry.about, entry.icon, url == here)
