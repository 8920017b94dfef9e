"""`khien checkpoint`: checkpoints and the devices that may ask at the door."""

from __future__ import annotations

from pathlib import Path

import click
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console

from khien.checkpoints import actions, store
from khien.cli import print_json
from khien.cli._checkpoint_movement import COMMANDS
from khien.cli._output import titled
from khien.core.actor import machine
from khien.core.errors import BadInput, NotFound, WrongUsage
from khien.core.i18n import N_
from khien.core.session import begin
from khien.territory import store as territory

_ACTOR = machine("administration", "checkpoint.manage")


@click.group()
def checkpoint() -> None:
    """Checkpoints, and the devices that may ask whether an identity fits the register."""


for _command in COMMANDS:
    checkpoint.add_command(_command)


@checkpoint.command()
@click.argument("code")
@click.option("--name", required=True)
@click.option("--unit", required=True, help="Official code of the commune it stands in, or unit id.")
@click.option("--road", default="", help="National road, gateway.")
@click.option("--json", "as_json", is_flag=True)
def add(code: str, name: str, unit: str, road: str, as_json: bool) -> None:
    """Set up a checkpoint."""
    with begin(_ACTOR) as session:
        unit_id = territory.find(session, unit, session.today)["unit_id"]
    made = actions.add_checkpoint(by=_ACTOR, code=code.upper(), name=name, unit_id=unit_id, road=road)
    print_json({"checkpoint_id": made, "code": code.upper()}) if as_json else click.echo(code.upper())


@checkpoint.command(name="list")
@click.option("--json", "as_json", is_flag=True)
def list_checkpoints(as_json: bool) -> None:
    """All checkpoints."""
    with begin(_ACTOR) as session:
        rows = store.checkpoints(session)
    if as_json:
        print_json(rows)
        return
    table = titled(N_("Code"), N_("Checkpoint"), N_("Commune"), N_("Road"), N_("Devices"))
    for row in rows:
        table.add_row(row["code"], row["name"], row["unit"], row["road"], str(row["devices"]))
    Console().print(table)


@checkpoint.group()
def device() -> None:
    """Devices: each signs its requests with an Ed25519 key of its own."""


@device.command(name="add")
@click.option("--checkpoint", "code", required=True)
@click.option("--label", required=True, help="What stands on the device.")
@click.option("--public-key", "public", help="Ed25519 public key, 64 hexadecimal digits.")
@click.option("--key-file", type=click.Path(path_type=Path, dir_okay=False), help="Make a key here; must not exist.")
@click.option("--json", "as_json", is_flag=True)
def add_device(code: str, label: str, public: str | None, key_file: Path | None, as_json: bool) -> None:
    """Enrol a device by its public key, or make a key pair in a file for it."""
    if (public is None) == (key_file is None):
        raise WrongUsage(N_("Name the public key, or a file for a new key."))
    if public is not None:
        try:
            raw = bytes.fromhex(public)
        except ValueError:
            raise BadInput(N_("An Ed25519 public key has 32 bytes.")) from None
    else:
        assert key_file is not None
        raw = _new_key(key_file)
    try:
        made = actions.add_device(by=_ACTOR, checkpoint=code.upper(), label=label, public_key=raw)
    except (BadInput, NotFound):
        if key_file is not None:
            key_file.unlink()
        raise
    print_json({"device_id": made, "public_key": raw.hex()}) if as_json else click.echo(f"{made} {raw.hex()}")


@device.command()
@click.argument("device_id", type=int)
@click.option("--json", "as_json", is_flag=True)
def revoke(device_id: int, as_json: bool) -> None:
    """Refuse a device from now on; its next check is refused already."""
    actions.revoke_device(by=_ACTOR, device_id=device_id)
    if as_json:
        print_json({"device_id": device_id, "revoked": True})


@device.command(name="list")
@click.option("--checkpoint", "code")
@click.option("--json", "as_json", is_flag=True)
def list_devices(code: str | None, as_json: bool) -> None:
    """Devices of all checkpoints or of one."""
    with begin(_ACTOR) as session:
        rows = store.devices(session, code.upper() if code else None)
    if as_json:
        print_json(rows)
        return
    table = titled(N_("Device"), N_("Checkpoint"), N_("Label"), N_("Added"), N_("Revoked"))
    for row in rows:
        table.add_row(
            str(row["device_id"]), row["checkpoint"], row["label"], f"{row['added_at']:%d/%m/%Y}",
            f"{row['revoked_at']:%d/%m/%Y %H:%M}" if row["revoked_at"] else "",
        )  # fmt: skip
    Console().print(table)


def _new_key(path: Path) -> bytes:
    """A private key in PEM that only we can read; the public half."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        path.touch(0o600, exist_ok=False)
    except FileExistsError:
        raise WrongUsage(N_("{path} exists already."), path=path) from None
    path.write_bytes(pem)
    return key.public_key().public_bytes_raw()
