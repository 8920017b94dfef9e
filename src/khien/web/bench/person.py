"""`khien bench person`: a person's page over HTTP, as a signed-in officer asks for it, and its queries alone."""

from __future__ import annotations

import secrets
from importlib import import_module

import click

from khien.access import actions as access
from khien.access import setup
from khien.checkpoints.bench.traffic import drive
from khien.core import bench
from khien.core.actor import machine
from khien.core.errors import Unavailable
from khien.core.i18n import N_
from khien.population.bench import person_queries
from khien.web.bench.served import served

_GET = "GET /persons/{person}/ HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n"
_WARM = 100
_LONGEST = 300.0  # seconds


@click.command()
@click.option("--people", type=click.IntRange(1), default=1000, show_default=True, help="How many pages to ask for.")
@click.option("--clients", type=click.IntRange(1, 100), default=1, show_default=True, help="Officers at once.")
@click.option("--json", "as_json", is_flag=True)
def person(people: int, clients: int, as_json: bool) -> None:
    """The page over HTTP beside its queries; the queries, each page in its transaction and logged, beside one row."""
    setup.ready("en")
    ids, queries = person_queries(people)
    bench.show(queries, as_json)
    cookie = _cookie()
    requests = [_GET.format(person=person_id, cookie=cookie).encode() for person_id in ids]
    with served() as port:
        drive(port, requests[:_WARM], clients=clients, seconds=_LONGEST)
        driven = drive(port, requests, clients=clients, seconds=_LONGEST)
    if driven.statuses.keys() != {200}:
        raise Unavailable(N_("The page was refused: {statuses}"), statuses=str(driven.statuses))
    for share, name in ((0.5, "p50"), (0.95, "p95")):
        value = bench.percentile(driven.latencies, share) * 1000
        beside = queries.ours if name == "p95" else None
        ratio = round(value / beside, 2) if beside else None
        bench.show(bench.Measured("person_page", round(value, 2), beside, f"ms {name}", ratio, queries.size), as_json)


def _cookie() -> str:
    """A session of an account made for this run, signed in as at a health station of the whole country."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from khien.access.models import Account

    actor = machine("bench", "*")
    username = f"bench-{secrets.token_hex(4)}-{secrets.token_hex(2)}"  # never like an identity number
    access.add_account(by=actor, username=username, name="Bench", password=None)
    access.assign_role(by=actor, username=username, role="vaccinator")
    account = Account.objects.get(username=username)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(account.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = account.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
