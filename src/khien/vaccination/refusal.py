"""How a broken rule is told: by its sentence and its document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from khien.core.errors import Refused
from khien.vaccination.rules.dose_checks import Finding


def refused(found: Finding) -> Refused:
    return Refused(found.title, rule=found.rule, document=found.document)


def refused_by(rule: Mapping[str, Any], **params: Any) -> Refused:
    """By an entry of the rulebook (id, title, document); `params` fill its sentence."""
    return Refused(rule["title"], rule=rule["id"], document=rule["document"], **params)
