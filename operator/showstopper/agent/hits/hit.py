"""Hits: what is done to one target of an Injection, whatever its kind."""

from typing import Protocol

from showstopper.api.injection import InjectedTarget


class Hit(Protocol):
    """What is done to one target, and the record of it. Every method waits for the kernel: call it in a worker thread.

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
        """Read what it has done. Returns whether it has just met its first packet or process."""

    def lift(self) -> None:
        """End it, and record what it has done and what is left. Called again, or never armed, it changes nothing."""
