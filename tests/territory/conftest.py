"""Both systems of Viet Nam, loaded once a module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from khien.core.actor import machine
from khien.core.session import Session, begin
from khien.territory import actions, sources

LOADER = machine("load", "unit.load")


def load() -> dict[str, int]:
    return actions.load_units(
        by=LOADER,
        systems=[sources.system_2021(), sources.system_2025()],
        successions={(sources.VN_2021, sources.VN_2025): sources.successions()},
    )


class _RollBack(Exception):
    pass


@pytest.fixture(scope="module")
def both_systems(database: str) -> Iterator[Session]:
    """One transaction for the whole module: loading takes seconds. Rolled back at the end."""
    with suppress(_RollBack), begin(machine("test", "*")) as opened:
        load()
        yield opened
        raise _RollBack


@pytest.fixture
def loaded(both_systems: Session) -> Iterator[Session]:
    """Both systems are there; what the test does is undone."""
    with both_systems.connection.transaction(force_rollback=True):
        yield both_systems
