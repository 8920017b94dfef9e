"""`khien bench NAME`: our code and a reference side by side in one run (DESIGN §6)."""

from __future__ import annotations

from importlib import import_module

import click

from khien.cli import tell_help

# Name of the bench: where its command is. A capability adds a line.
_BENCHES = {
    "zone": "khien.zones.bench",
    "load": "khien.population.bench",
    "person": "khien.web.bench.person",
    "schedule": "khien.vaccination.bench",
    "identity": "khien.checkpoints.bench.identity",
    "trace": "khien.tracing.bench",
    "replay": "khien.tracing.bench",
    "tracing-recall": "khien.simulation.tracing_recall",
    "dose": "khien.web.bench.dose",
    "due": "khien.web.bench.due",
}


class _Benches(click.Group):
    """Imports a bench only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_BENCHES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _BENCHES:
            return None
        command = getattr(import_module(_BENCHES[name]), name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return tell_help(command)


@click.group(cls=_Benches)
def bench() -> None:
    """Measure against a reference that does the same work."""
