"""The checkpoint without network: the installable page, its worker, the kit, and what is sent when network is back."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from khien.access.gate import permission_required
from khien.checkpoints.movement import actions, keys, kit, store
from khien.checkpoints.movement.actions import PassageOutcome
from khien.checkpoints.rules.passages import PassageEntry
from khien.core.errors import BadInput, NotFound
from khien.core.i18n import N_
from khien.core.session import begin

_MOST = 200
_BYTES = 1 << 20


@permission_required("identity.check", "passage.record")
def page(request: HttpRequest) -> HttpResponse:
    """Nothing of a person stands in it: it is the one page that a device keeps."""
    with begin(request.actor) as session:
        found = store.checkpoints(session)
    code = request.session.get("checkpoint")
    chosen = next((c for c in found if c["code"] == code), found[0] if len(found) == 1 else None)
    if chosen is None:
        raise NotFound
    trusted = " ".join(key.hex() for key in keys.public_keys().values())
    return render(request, "checkpoints/offline.html", {"chosen": chosen, "trusted": trusted})


@permission_required("identity.check", "passage.record")
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, at an address that stays and within the scope it keeps."""
    name = "khien/worker.js"
    where = finders.find(name) or staticfiles_storage.path(name)
    answer = FileResponse(open(where, "rb"), content_type="text/javascript")  # noqa: SIM115, PTH123 - closed by Django
    answer["Service-Worker-Allowed"] = "/checkpoint/"
    return answer


@permission_required("identity.check", "passage.record")
def manifest(request: HttpRequest) -> HttpResponse:
    """What makes it installable."""
    icon = {"src": static("khien/mark.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}
    return JsonResponse(
        {
            "name": f"Khiên – {_('Checkpoint')}", "short_name": "Khiên", "start_url": "/checkpoint/offline",
            "scope": "/checkpoint/", "display": "standalone", "background_color": "#f6f5f1", "theme_color": "#0b4a4f",
            "icons": [icon],
        },
        content_type="application/manifest+json",
    )  # fmt: skip


@permission_required("identity.check", "passage.record")
def fetch_kit(request: HttpRequest) -> HttpResponseBase:
    """The kit made last by `khien checkpoint kit`, whole or a range of it (RFC 9110 §14), so that a device goes on
    where a cut cable left it; and what time it is here: clocks of phones are off. If-Match keeps two kits apart."""
    path = kit.place()
    if not path.is_file():
        raise NotFound
    about = path.stat()
    tag = f'"{about.st_mtime_ns:x}-{about.st_size:x}"'
    if request.headers.get("If-Match", tag) != tag:
        return HttpResponse(status=412)
    wanted = _range(request.headers.get("Range"), about.st_size)
    if wanted is not None and not 0 <= wanted[0] <= wanted[1] < about.st_size:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{about.st_size}"})
    first, last = wanted or (0, about.st_size - 1)
    with begin(request.actor) as session:
        if first == 0:
            session.log("kit.fetch", bytes=about.st_size)
        now = session.now
    answer = StreamingHttpResponse(
        _pieces(path, first, last + 1), status=206 if wanted else 200, content_type="application/octet-stream"
    )
    answer["Content-Length"] = str(last + 1 - first)
    answer["Accept-Ranges"], answer["ETag"], answer["X-Khien-Now"] = "bytes", tag, now.isoformat()
    if wanted:
        answer["Content-Range"] = f"bytes {first}-{last}/{about.st_size}"
    return answer


def _range(text: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte of a single range; None where the whole is wanted (also for forms that may be ignored)."""
    found = re.fullmatch(r"bytes=(\d{1,15})-(\d{0,15})", text or "")
    if found is None:
        return None
    return int(found[1]), min(int(found[2] or size), size - 1)


def _pieces(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(start)
        while start < end:
            piece = stream.read(min(1 << 16, end - start))
            if not piece:
                return
            start += len(piece)
            yield piece


@permission_required("identity.check", "passage.record")
def sync(request: HttpRequest) -> HttpResponse:
    """Passages that waited on a device: {"passages": [...]}; an outcome for each, and what is not kept says why."""
    language = get_language() or "vi"
    try:
        if len(request.body) > _BYTES:
            raise ValueError("too long")
        passages = json.loads(request.body)["passages"]
        if not isinstance(passages, list) or len(passages) > _MOST:
            raise ValueError("too many")
        read = [(str(p["checkpoint"]), str(p["client_id"]), _entry(p)) for p in passages]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise BadInput(N_("The message does not hold passages as they should be.")) from None
    outcomes: dict[str, PassageOutcome] = {}
    for code in {code for code, _id, _entry in read}:
        mine = [(client_id, entry) for at, client_id, entry in read if at == code]
        try:
            with begin(request.actor) as session:
                place = store.checkpoint(session, code=code)["checkpoint_id"]
        except NotFound:
            continue  # moved away from this checkpoint: each of its passages is told so
        done = actions.record_passages(by=request.actor, checkpoint_id=place, entries=[e for _id, e in mine])
        outcomes |= dict(zip((client_id for client_id, _e in mine), done, strict=True))
    return JsonResponse(
        {"outcomes": [_told(client_id, outcomes.get(client_id), language) for _c, client_id, _e in read]}
    )


def _entry(told: dict[str, Any]) -> PassageEntry:
    born = dt.date.fromisoformat(told["birth_date"]) if told.get("birth_date") else None
    return PassageEntry(
        client_id=UUID(told["client_id"]),
        passed_at=dt.datetime.fromisoformat(told["passed_at"]),
        direction=str(told["direction"]),
        number=_text(told.get("number"), 30),
        name=_text(told.get("name"), 200),
        born_first=born,
        born_last=born,
        pass_id=UUID(told["pass_id"]) if told.get("pass_id") else None,
        plate=_text(told.get("plate"), 30),
        companions=int(told.get("companions") or 0),
        checked="kit",
    )


def _text(value: Any, most: int) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > most or "\x00" in value:
        raise ValueError("not a text of that length")
    return value


def _told(client_id: str, outcome: PassageOutcome | None, language: str) -> dict[str, Any]:
    if outcome is None:
        return {"client_id": client_id, "kept": False, "result": "refused", "why": _("There is no such checkpoint.")}
    why = "; ".join(fault.text(language) for fault in outcome.faults)
    if outcome.result == "conflict":
        why = _("Another passage was recorded under this message number.")
    return {"client_id": client_id, "kept": outcome.kept, "result": outcome.result, "why": why}
