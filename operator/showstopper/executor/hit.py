"""Hits: what is done to one target of an Injection, whatever its kind, and who makes them."""

from collections.abc import Collection, Mapping
from typing import Protocol, Self

from showstopper.api.injection import InjectedTarget, Injection
from showstopper.clock import Clock


class Hit(Protocol):
    """What is done to one target, and the record of it. Every method may wait: call it where its executor says.

    What goes wrong with a target is said in its record, and is not raised.
    """

    @property
    def record(self) -> InjectedTarget:
        """The target in the Injection's status. A message in it before `arm` says why not to call that."""

    @property
    def method(self) -> str | None:
        """By what means it is done, for people. None: it is not armed yet."""

    def arm(self, until: float) -> None:
        """Do all of it, to last until that monotonic time, or nothing and say why in the record."""

    def refresh(self, until: float) -> None:
        """Let it last until then.

        Raises:
            LeaseLost: it has lifted itself already.
        """

    def follow(self, peers: tuple[str, ...]) -> None:
        """Mean these peers from now on. Faults without peers do nothing."""

    def look(self) -> bool:
        """Read what it has done. Returns whether it has just met its first packet or process, or was just proven."""

    def lift(self) -> None:
        """End it, and record what it has done and what is left. Called again, or never armed, it changes nothing."""


class Hits(Protocol):
    """Makes the hits of Injections from what an executor can do."""

    @property
    def executor(self) -> str:
        """Whose they are, in one word for people, such as agent."""

    def on(self, clock: Clock) -> Self:
        """The same, with the times of records by that clock."""

    def begun(self, injection: Injection) -> bool:
        """Whether an earlier life has begun it, and it must not be done again, though no status says so."""

    def left(self, injection: Injection) -> Mapping[str, str]:
        """What an earlier life has done for it and nobody could undo so far, by the target's UID."""

    def begin(self, injection: Injection) -> None:
        """It is about to be armed."""

    def of(self, injection: Injection) -> list[Hit]:
        """One hit for each target, in their order. Those that must not be armed say why in their records."""

    def keep(self, uids: Collection[str]) -> None:
        """Only Injections with these UIDs exist: what an earlier life remembers of others is of no use."""

    def forget(self, uid: str) -> None:
        """The Injection with that UID no longer exists."""
