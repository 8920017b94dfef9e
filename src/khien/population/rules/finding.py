"""What a rule noticed: a remark for the person who decides, or a refusal. Never holds an identifier."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from khien.core.i18n import translate


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """`rule` is a stable short name, `message` an English template marked with N_, `document` the legal source."""

    rule: str
    message: str
    field: str = ""
    document: str = ""
    severity: Literal["warning", "refusal"] = "warning"
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        return translate(self.message, language, **self.params)


def refusals(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those that forbid; the others only warn."""
    return tuple(f for f in findings if f.severity == "refusal")
