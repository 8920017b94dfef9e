"""Who acts, for what purpose, within which area. Everything that reads or writes the register needs one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from khien.core.errors import NotAllowed

NATION = "{(,)}"  # int4multirange of all unit ids
NOWHERE = "{}"


@dataclass(frozen=True, slots=True)
class Actor:
    """An account in one of its roles, or the machine itself.

    `area` is a PostgreSQL int4multirange literal of unit ids (units are numbered in pre-order, so a subtree
    is one range). `permissions` are "noun.verb". `account_id` None is the machine (loader, job, simulation).
    """

    account_id: int | None
    name: str
    purpose: str
    permissions: frozenset[str]
    area: str = NOWHERE
    agency_id: int | None = None

    def may(self, permission: str) -> bool:
        return permission in self.permissions or "*" in self.permissions

    def must(self, permission: str) -> None:
        """Raise NotAllowed unless this actor has `permission`: the first lock (row-level security is the second)."""
        if not self.may(permission):
            raise NotAllowed(permission)

    def for_purpose(self, purpose: str) -> Actor:
        return replace(self, purpose=purpose)


def machine(purpose: str, *permissions: str) -> Actor:
    """The product itself: bulk loader, jobs, simulation. Sees the nation, may do only what is named."""
    return Actor(None, "khien", purpose, frozenset(permissions), NATION)
