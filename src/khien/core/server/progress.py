"""How long work tells whoever waits for it what it is doing."""

from __future__ import annotations

from typing import Any, Protocol


class Progress(Protocol):
    """Called with an English template (marked for translation) and its parameters.

    Where the end is known, the parameters hold `done` and `total` in the same unit.
    """

    def __call__(self, message: str, /, **params: Any) -> None: ...


def quiet(_: str, /, **params: Any) -> None:
    """Progress that nobody watches."""
