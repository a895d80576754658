"""The flooder process: one flood from its settings to its report. It runs without any privilege and without a token.

    python -m showstopper.audio.flood.flooder

Exit codes: 0 it ended by its budget or by SIGTERM, 1 the kernel took not one packet, or no gate came up, 2 a setting
cannot be used.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from showstopper.audio.flood import shapes
from showstopper.audio.flood.budget import Budget
from showstopper.audio.flood.flooding import flood
from showstopper.audio.flood.pace import Pace
from showstopper.audio.flood.sender import Sender
from showstopper.audio.flood.settings import FlooderSettings
from showstopper.audio.flood.tally import Tally
from showstopper.audio.task import program, telling
from showstopper.audio.task.clocks import Clocks
from showstopper.audio.task.ending import AbsoluteEnd, EndReason, Stop
from showstopper.audio.task.program import Program
from showstopper.faults.endpoint import SpecialAddress


class Flooder(Program):
    """One flood, as its settings say."""

    def __init__(self, settings: FlooderSettings) -> None:
        super().__init__(settings.task)
        self._flood = settings.flood
        self._packets = settings.packets

    @classmethod
    def prepare(cls, environment: Mapping[str, str], now: float) -> Flooder:
        """The flooder of a container's environment, at these Unix seconds. Raises SettingsError."""
        return cls(FlooderSettings.read(environment, now))

    def run(self, end: AbsoluteEnd, stop: Stop, clocks: Clocks) -> dict[str, Any]:
        """Flood until the budget is spent or somebody says stop. Raises OSError for want of sockets."""
        with self._sender() as sender:
            began = clocks.monotonic()
            tally = Tally(self._flood.size, began)
            seconds = self._flood.duration.total_seconds()
            ending = flood(
                sender,
                budget=Budget.begin(packets=self._packets, seconds=seconds, end=end, monotonic=began),
                pace=Pace(self._flood.rate, began),
                tally=tally,
                stop=stop,
                tell=telling.tell,
                clocks=clocks,
            )
            return tally.report(ending, clocks.monotonic()) | {"segmented": sender.segmented}

    def not_begun(self, reason: EndReason) -> dict[str, Any]:
        """A flood of no packets, which took no time."""
        return Tally(self._flood.size, began=0.0).report(reason, now=0.0)

    def in_vain(self, report: Mapping[str, Any]) -> bool:
        """Also if the kernel refused whatever was sent."""
        return super().in_vain(report) or (not report["packets"] and bool(report["errors"]))

    def _sender(self) -> Sender:
        random = Random()  # noqa: S311 - for packets, not for secrets
        return Sender(
            self.task.targets,
            sources=self._flood.sources,
            batches=shapes.of(self._flood.shape, self._flood.size, random),
            random=random,
            packets=self._packets,
            broadcast=SpecialAddress.BROADCAST in self.task.special,
        )


def main() -> None:
    """Entry point of the flooder."""
    program.main(Flooder.prepare)


if __name__ == "__main__":
    main()
