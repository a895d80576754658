"""Targets: a network namespace with its packet filter, and which of our numbers are in use there."""

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from showstopper.agent.kernel import shaping
from showstopper.agent.kernel.namespaces import Namespace, read_of_thread
from showstopper.agent.kernel.nftables import Nftables
from showstopper.errors import EffectRefused
from showstopper.faults.network.plan import FIRST_QUEUE, MOST_EFFECTS, Plan
from showstopper.faults.network.rules import GATE_PREFIX

T = TypeVar("T")
_QUEUES = range(FIRST_QUEUE, FIRST_QUEUE + 2 * MOST_EFFECTS + 2)


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What is there of ours in a namespace and should not be."""

    tables: frozenset[tuple[str, str]] = frozenset()
    queues: frozenset[int] = frozenset()
    shaping: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.tables or self.queues or self.shaping)

    def __str__(self) -> str:
        tables = [f"table {family} {name}" for family, name in sorted(self.tables)]
        return ", ".join([*tables, *(f"queue {number}" for number in sorted(self.queues)), *sorted(self.shaping)])


class Target:
    """One namespace that faults act in."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.nft = namespace.call(Nftables)
        self._taken: set[int] = set()
        self._plans: dict[int, Plan] = {}
        self._inert: set[tuple[str, str]] = set()

    @property
    def idle(self) -> bool:
        """Whether no fault is there, or on its way out."""
        return not self._taken

    @property
    def plans(self) -> tuple[Plan, ...]:
        """What is set up, or about to be."""
        return tuple(self._plans.values())

    def do(self, work: Callable[[], T]) -> T:
        """Do something in the namespace."""
        return self.namespace.call(work)

    def take(self, make: Callable[[int], Plan]) -> tuple[int, Plan]:
        """A plan with a number that is free.

        Raises:
            EffectRefused: when there are too many effects, or one of that name.
        """
        number = next((number for number in range(1, MOST_EFFECTS + 1) if number not in self._taken), None)
        if number is None:
            raise EffectRefused(f"{self.namespace.path} has {MOST_EFFECTS} faults already: lift one first")
        plan = make(number)
        if any(other.table == plan.table for other in self.plans):
            raise EffectRefused(f"{self.namespace.path} has a fault of this name already: lift {plan.table} first")
        self._inert -= {(family, plan.table) for family in plan.families}  # of an earlier fault of this name
        self._taken.add(number)
        self._plans[number] = plan
        return number, plan

    def drop(self, number: int) -> None:
        """Free a number of which nothing was set up."""
        del self._plans[number]
        self._taken.discard(number)

    def remove(self, number: int) -> None:
        """Delete a fault's tables, in the namespace's thread. Keep them, inert, while others hold packets back.

        When a chain goes, the kernel drops what waits in every queue of the namespace (nf_queue_nf_hook_drop).
        """
        plan = self._plans.pop(number, None)
        if plan is not None and not plan.stays:
            self._inert |= {(family, plan.table) for family in plan.families}
        if not any(other.queues for other in self.plans):
            self.nft.delete(self._inert & set(self.nft.tables()))
            self._inert.clear()

    def give_back(self, number: int) -> Leftovers:
        """Free a number. Returns what exists that no other fault accounts for."""
        leftovers = self.leftovers()
        self._taken.discard(number)
        return leftovers

    def leftovers(self) -> Leftovers:
        """What is there of ours that no fault accounts for."""
        return self.do(self._look)

    def _look(self) -> Leftovers:
        """Read in one go, so that nothing comes or goes meanwhile. Plans come before what they set up."""
        queues = _bound(read_of_thread("netfilter/nfnetlink_queue"))
        tables = frozenset(table for table in self.nft.tables() if not is_gate(table))
        shaped = frozenset(shaping.leftovers())
        plans = self.plans
        return Leftovers(
            tables - {(family, plan.table) for plan in plans for family in plan.families} - self._inert,
            queues - {queue.number for plan in plans for queue in plan.queues},
            frozenset() if any(plan.traffic_classes for plan in plans) else shaped,
        )

    @property
    def dirty(self) -> bool:
        """Whether something of earlier lives may be there. A quick look, for whoever arms the first fault."""

        def look() -> bool:
            tables = any(not is_gate(table) for table in self.nft.tables())
            return tables or any(shaping.is_detour(name) for _, name in socket.if_nameindex())

        return self.do(look)

    def sweep(self) -> Leftovers:
        """Remove everything of ours. Returns what there was. Gates are shut, and stay."""
        leftovers = self.leftovers()
        for family, table in filter(is_gate, self.do(self.nft.tables)):
            self.do(lambda family=family, table=table: self.nft.end([family], table))  # type: ignore[misc]
        if leftovers.tables:
            self.do(lambda: self.nft.delete(leftovers.tables))
        if leftovers.shaping:
            self.do(shaping.sweep)
        return leftovers

    def close(self) -> None:
        """Leave the namespace."""
        with suppress(RuntimeError):  # closed twice
            self.do(self.nft.close)
        self.namespace.close()


def is_gate(table: tuple[str, str]) -> bool:
    """Whether a table, by family and name, is the gate of a flooder."""
    return table[1].startswith(GATE_PREFIX)


def _bound(text: str) -> frozenset[int]:
    """Our queue numbers in /proc/net/netfilter/nfnetlink_queue: the first column."""
    numbers = (int(line.split()[0]) for line in text.splitlines())
    return frozenset(number for number in numbers if number in _QUEUES)
