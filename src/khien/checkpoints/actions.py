"""Writes of the checkpoints: checkpoints, devices, and the identity check, which is a write because it is logged."""

from __future__ import annotations

from collections.abc import Sequence

from khien.checkpoints import store
from khien.checkpoints.rules.declared import Declared
from khien.checkpoints.rules.rule import rules_json
from khien.checkpoints.rules.verdict import Answer, Verdict
from khien.checkpoints.store import SQL
from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_
from khien.core.session import begin
from khien.population.rules.name_likeness import Likeness

MOST_CHECKS = 1000
KEY_BYTES = 32


def check_identities(*, by: Actor, declared: Sequence[Declared]) -> list[Answer]:
    """Verdicts in order, all logged as `identity.check` in one transaction. Anywhere in the nation: whoever stands at a
    checkpoint may live in any commune. Raises BadInput for more than 1,000 checks, NotAllowed."""
    by.must("identity.check")
    if not 1 <= len(declared) <= MOST_CHECKS:
        raise BadInput(N_("A batch has 1 to {most} checks."), most=MOST_CHECKS)
    with begin(by) as session:
        lines = session.value(
            SQL.identity_answers,
            rules=rules_json(),
            numbers=[d.number for d in declared],
            names=[d.name for d in declared],
            born_first=[d.born_first for d in declared],
            born_last=[d.born_last for d in declared],
            sexes=[d.sex for d in declared],
            cards=[d.card for d in declared],
            cards_issued=[d.card_issued for d in declared],
            communes=[d.commune for d in declared],
        )
    return [_answer(line, one) for line, one in zip(lines, declared, strict=True)]


def _answer(line: str, declared: Declared) -> Answer:
    verdict, name, birth, *notes = line.split()
    if name == "-":
        return Answer(Verdict(verdict), malformed=declared.malformed)
    return Answer(Verdict(verdict), Likeness(name), birth, tuple(notes))


def check_identity(*, by: Actor, declared: Declared) -> Answer:
    """One check; see `check_identities`."""
    return check_identities(by=by, declared=[declared])[0]


def add_checkpoint(
    *, by: Actor, code: str, name: str, unit_id: int, road: str = "", agency_id: int | None = None
) -> int:
    """A new checkpoint; its id. Raises BadInput for a code that is taken, NotAllowed."""
    by.must("checkpoint.manage")
    with begin(by) as session:
        made = session.value(SQL.add_checkpoint, code=code, name=name, unit_id=unit_id, road=road, agency_id=agency_id)
        if made is None:
            message = N_("There is a checkpoint with this code already.")
            raise BadInput(message, faults=(Fault("code", message),))
        session.log("checkpoint.add", checkpoint=made)
    return int(made)


def add_device(*, by: Actor, checkpoint: str, label: str, public_key: bytes) -> int:
    """Enrol a device by its Ed25519 public key (32 bytes); its number. Raises BadInput, NotFound, NotAllowed."""
    by.must("checkpoint.manage")
    if len(public_key) != KEY_BYTES:
        message = N_("An Ed25519 public key has 32 bytes.")
        raise BadInput(message, faults=(Fault("public_key", message),))
    with begin(by) as session:
        at = store.checkpoint(session, checkpoint)
        made = session.value(
            SQL.add_device,
            checkpoint_id=at["checkpoint_id"], label=label, public_key=public_key, now=session.now,
        )  # fmt: skip
        if made is None:
            message = N_("This key was enrolled before. A device that returns needs a new key.")
            raise BadInput(message, faults=(Fault("public_key", message),))
        session.log("device.add", device=made, checkpoint=at["checkpoint_id"])
    return int(made)


def revoke_device(*, by: Actor, device_id: int) -> None:
    """From now on nothing that the device signs is answered. Again changes nothing. Raises NotFound, NotAllowed."""
    by.must("checkpoint.manage")
    with begin(by) as session:
        if session.value(SQL.revoke_device, device_id=device_id, now=session.now) is None:
            raise NotFound(N_("There is no such device."))
        session.log("device.revoke", device=device_id)
