"""What every `khien bench` shares: ours beside a reference, in one run, one JSON object a line (DESIGN §6)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import click


@dataclass(frozen=True, slots=True)
class Measured:
    """`ratio` is ours divided by the reference, in `unit`s where more is better. `size`: how many of what."""

    name: str
    ours: float
    reference: float | None
    unit: str
    ratio: float | None
    size: int


def rate(name: str, count: int, ours_seconds: float, reference_seconds: float, unit: str) -> Measured:
    """The same work done by both, as a rate."""
    ours, reference = count / ours_seconds, count / reference_seconds
    return Measured(name, round(ours, 1), round(reference, 1), unit, round(ours / reference, 3), count)


def show(measured: Measured, as_json: bool) -> None:
    """On standard output: JSON, or a line for people."""
    if as_json:
        click.echo(json.dumps(asdict(measured)))
        return
    beside = f", reference {measured.reference:,} ({measured.ratio})" if measured.reference is not None else ""
    click.echo(f"{measured.name}: {measured.ours:,} {measured.unit}{beside}, size {measured.size:,}")


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Gives a function that says how many seconds have passed."""
    begun = time.perf_counter()
    yield lambda: time.perf_counter() - begun


def percentile(values: list[float], share: float) -> float:
    """The value that `share` (0 to 1) of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
