"""Life cycles of zone orders and of the tasks they make, as tables: what is not in them cannot happen."""

from __future__ import annotations

from typing import Literal

from khien.core.errors import Refused
from khien.core.i18n import N_

OrderState = Literal["proposed", "in_force", "lifted", "withdrawn", "superseded"]
OrderEvent = Literal["put_in_force", "withdraw", "supersede", "lift"]
TaskState = Literal["open", "seen", "not_found", "moved_on"]

ORDER_STATES: tuple[OrderState, ...] = ("proposed", "in_force", "lifted", "withdrawn", "superseded")
ORDER_TRANSITIONS: dict[tuple[OrderState, OrderEvent], OrderState] = {
    ("proposed", "put_in_force"): "in_force",
    ("proposed", "withdraw"): "withdrawn",
    ("in_force", "supersede"): "superseded",  # borders or grade change: the new order takes its place
    ("in_force", "lift"): "lifted",
}
# An order that was in force keeps its days for ever; a proposal, withdrawn or not, never counted.
COUNTING: frozenset[OrderState] = frozenset({"in_force", "lifted", "superseded"})

TASK_STATES: tuple[TaskState, ...] = ("open", "seen", "not_found", "moved_on")
# What the police of a commune may report of somebody who came from a zone. Nothing found may be found later.
TASK_TRANSITIONS: dict[TaskState, frozenset[TaskState]] = {
    "open": frozenset({"seen", "not_found", "moved_on"}),
    "not_found": frozenset({"seen", "moved_on"}),
    "seen": frozenset({"moved_on"}),
    "moved_on": frozenset(),
}


def next_state(state: OrderState, event: OrderEvent) -> OrderState:
    """The state of an order after an event. Raises Refused where the table has no such step."""
    try:
        return ORDER_TRANSITIONS[state, event]
    except KeyError:
        message = N_("This cannot be done with an order in its present state.")
        raise Refused(message, rule="order_transition") from None


def task_may_become(state: TaskState, to: TaskState) -> bool:
    """Whether a task in `state` may be reported as `to`."""
    return to in TASK_TRANSITIONS[state]
