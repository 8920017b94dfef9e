"""JSON on the wire: what comes in, what goes out."""

from __future__ import annotations

import json
from typing import Any

from khien.checkpoints.rules import declared
from khien.checkpoints.rules.declared import Declared
from khien.core.errors import BadInput, Fault, KhienError
from khien.core.i18n import N_

MOST_CHECKS = 1000
_FAULTS_SHOWN = 20
# Notes compare declared and registered; all others are notices about the person.
_COMPARING = frozenset(("sex_differs", "card_unknown", "card_expired", "commune_differs"))
_known: dict[bytes, bytes] = {}


def parse(body: bytes) -> Any:
    """JSON; raises BadInput."""
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        raise BadInput(N_("The message is not JSON.")) from None


def read_one(body: bytes) -> list[Declared]:
    return [declared.read(parse(body))]


def read_batch(body: bytes) -> list[Declared]:
    """Raises BadInput naming the first faults by line; then nothing of the batch was checked."""
    message = parse(body)
    if not isinstance(message, dict) or message.keys() != {"checks"} or not isinstance(message["checks"], list):
        raise BadInput(N_("A batch is an object with a list of checks."), faults=(Fault("checks", _FORM),))
    items = message["checks"]
    if not 1 <= len(items) <= MOST_CHECKS:
        raise BadInput(N_("A batch has 1 to {most} checks."), most=MOST_CHECKS)
    found: list[Declared] = []
    faults: list[Fault] = []
    for line, item in enumerate(items, 1):
        try:
            found.append(declared.read(item, line=line))
        except BadInput as failure:
            faults += failure.faults
            if len(faults) >= _FAULTS_SHOWN:
                break
    if faults:
        raise BadInput(N_("The batch has faults; nothing of it was checked."), faults=tuple(faults))
    return found


_FORM = N_("A batch is an object with a list of checks.")


def answer_batch(checks: list[Declared], lines: list[bytes]) -> bytes:
    return b'{"answers":[%s]}' % b",".join(map(answer, checks, lines))


def answer(check: Declared, line: bytes) -> bytes:
    """JSON of one answer; `line` as the database gives it: verdict, name, birth date, notes."""
    if check.malformed:
        return json.dumps({"verdict": "malformed", "malformed": check.malformed}).encode()
    made = _known.get(line)
    if made is None:
        made = _encode(line.decode())
        if len(_known) < 10_000:  # few combinations exist; the bound is for safety
            _known[line] = made
    return made


def _encode(line: str) -> bytes:
    verdict, name, birth, *codes = line.split()
    told: dict[str, Any] = {"verdict": verdict}
    if name != "-":
        told |= {"name": name, "birth_date": birth}
    told["notes"] = [code for code in codes if code in _COMPARING]
    told["notices"] = [code for code in codes if code not in _COMPARING]
    return json.dumps(told).encode()


def fault_body(error: KhienError, language: str) -> bytes:
    """The same shape as the command line's and the API's errors."""
    body: dict[str, Any] = {"error": error.code, "message": error.text(language)}
    body |= {key: value for key, value in error.params.items() if key == "server_time"}
    if isinstance(error, BadInput) and error.faults:
        body["faults"] = [{"line": f.line, "field": f.field, "message": f.text(language)} for f in error.faults]
    return json.dumps(body, ensure_ascii=False).encode()
