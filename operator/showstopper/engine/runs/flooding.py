"""Flooding: the floods of one run, from their Jobs over their gates to the end of both."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from showstopper.api.faults.base import Hand
from showstopper.api.injection import Injection
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock
from showstopper.engine.hands.agent.client import AgentHand
from showstopper.engine.hands.crowd import flood_gate, flooder_job
from showstopper.engine.hands.crowd.client import CrowdHand
from showstopper.engine.hands.crowd.flooder_job import Flooder, Object
from showstopper.engine.planning.plan import PlannedFault
from showstopper.engine.runs.waiting import Patience
from showstopper.errors import Forbidden
from showstopper.faults.effects import Pod

LOOK_SECONDS = 0.1
HEAR_SECONDS = 3.0
"""How long a flooder whose flood did nothing gets to say why."""


class Flooding:
    """What the floods of a run need beside Injections that are armed and lifted as all others are."""

    def __init__(
        self, crowd: CrowdHand, agents: AgentHand, clock: Clock, patience: Patience, run: Callable[[], ExperimentRun]
    ) -> None:
        self._crowd, self._agents = crowd, agents
        self._clock, self._patience, self._run = clock, patience, run
        self._pods: dict[str, Pod] = {}
        self._planned: Sequence[PlannedFault] = ()

    @property
    def names(self) -> list[str]:
        """The faults that are floods."""
        return [fault.name for fault in self._run().spec.faults if fault.spec.hand is Hand.CROWD]

    @property
    def gathered(self) -> bool:
        """Whether their flooders were found to be there, in this life of the operator."""
        return bool(self._planned)

    async def gather(self, planned: Sequence[PlannedFault]) -> Finding | None:
        """Start the flooders, and wait until they are there; they send nothing yet. Returns why they are not."""
        try:
            await asyncio.gather(*(self._crowd.start(self._run(), each) for each in planned))
        except Forbidden as error:
            return Finding("CrowdForbidden", f"{error}: install the chart with agent.enabled=true", Verdict.ERROR)
        give_up = self._clock.now() + flooder_job.GATHER.total_seconds()
        while True:
            found = await self._crowd.found(self._run(), [each.fault.name for each in planned])
            self._pods = {name: flooder.pod for name, flooder in found.items() if flooder.pod is not None}
            missing = {name: flooder for name, flooder in found.items() if flooder.pod is None}
            if not missing:
                self._planned = planned
                return None
            if self._clock.now() > give_up or any(flooder.over for flooder in missing.values()):
                return self._absent(missing)
            await self._patience.pause(LOOK_SECONDS)

    def arrivals(self) -> Iterator[Object]:
        """The Injections that count what comes to the targets."""
        for each in self._planned:
            yield from flood_gate.arrivals(self._run(), each, self._pods[each.fault.name])

    def gates(self) -> Iterator[Object]:
        """The Injections that let the floods begin, each towards its targets; to be asked for when arrivals count."""
        for each in self._planned:
            yield from flood_gate.gate(self._run(), each, self._pods[each.fault.name])

    async def narrow(self, found: Sequence[Injection]) -> None:
        """Take from the gates the addresses of targets that are gone: who gets such an address next is not flooded."""
        for gate in flood_gate.open_gates(found):
            lost = await self._crowd.lost(self._run(), flood_gate.led_to(gate, found))
            left = flood_gate.still_there(gate, found, lost)
            if not left:
                await self._agents.lift(gate)
            elif left != gate.spec.peers:
                await self._agents.follow(gate, left)

    async def hear(self, names: Sequence[str]) -> dict[str, str]:
        """What the flooders of these faults said at their end, for a person."""
        give_up = self._clock.now() + HEAR_SECONDS
        while names:
            found = await self._crowd.found(self._run(), names)
            if self._clock.now() > give_up or all(flooder.over for flooder in found.values()):
                return {name: said for name, flooder in found.items() if (said := flooder_job.silent(flooder))}
            await asyncio.sleep(LOOK_SECONDS)
        return {}

    async def end(self) -> list[str]:
        """Delete the Jobs; the floods whose Job or pod is still there. To be asked again until there are none."""
        names = self.names
        gone = await asyncio.gather(*(self._crowd.end(self._run(), name) for name in names))
        return [name for name, is_gone in zip(names, gone, strict=True) if not is_gone]

    def _absent(self, missing: dict[str, Flooder]) -> Finding:
        name, flooder = next(iter(missing.items()))
        run = self._run()
        why = (
            flooder.problem
            if not flooder.over
            else flooder_job.silent(flooder) or "its pod ended before it could begin"
        )
        job = flooder_job.name(run, name)
        return Finding(
            "FlooderMissing",
            f"the flooder of fault {name} is not there: {why}; look at kubectl --namespace "
            f"{run.metadata.namespace} describe job,pod --selector batch.kubernetes.io/job-name={job}",
        )
