"""The crowd as a hand: flooders in Jobs, what they send counted at the targets, and let pass by a gate.

A flood is started in two calls. The first starts the flooders, which send nothing yet, and has the agents count what
arrives at the targets. The second opens the gates, each towards the targets of its flood: nothing may begin before it
is counted, and nothing before all other faults of the run are in force.

It ends the other way round: first the gates are shut. What has passed a gate is counted to the last packet, so the
counting ends when no gate is open any more. Only then the Jobs are deleted, for until then a flooder can still be asked
why it sent nothing.
"""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Hand
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock
from showstopper.engine.hands.agent import answers
from showstopper.engine.hands.agent.injections import RunInjections
from showstopper.engine.hands.crowd import flood_gate, flooder_job
from showstopper.engine.hands.crowd.flooder_job import Flooder
from showstopper.engine.hands.crowd.flooders import Flooders
from showstopper.engine.hands.protocol import FaultState, Pause
from showstopper.engine.planning.plan import PlannedFault
from showstopper.engine.planning.policies import agents_disabled
from showstopper.errors import Forbidden
from showstopper.faults.effects import Pod

LOOK_SECONDS = 0.1
HEAR_SECONDS = 3.0
"""How long a flooder whose flood did nothing gets to say why."""


class CrowdHand:
    """The floods of one run."""

    def __init__(self, flooders: Flooders, injections: RunInjections, clock: Clock, pause: Pause) -> None:
        self._flooders = flooders
        self._injections = injections
        self._clock = clock
        self._pause = pause
        self._pods: dict[str, Pod] = {}
        self._gates = 0
        self._heard: Mapping[str, str] | None = None
        self._remaining: set[str] = set()

    async def start(self, run: ExperimentRun, planned: Sequence[PlannedFault], *, again: bool) -> Finding | None:
        """Start the flooders and the counting. Called once more, open the gates. After a restart only the Lease."""
        if again:
            await self._injections.take_up(run)
            self._gates = 1
            return None
        try:
            await self._injections.lease.hold(run)
        except Forbidden as error:
            self._injections.untouched = True
            return agents_disabled(error)
        if self._pods:
            self._gates = 1
            await self._injections.start(
                body for each in planned for body in flood_gate.gate(run, each, self._pods[each.fault.name])
            )
            return None
        self._injections.watch()
        if (absent := await self._gather(run, planned)) is not None:
            return absent
        await self._injections.start(
            body for each in planned for body in flood_gate.arrivals(run, each, self._pods[each.fault.name])
        )
        return None

    async def observe(self, run: ExperimentRun) -> Mapping[str, FaultState]:
        """What agents report of each flood, at its gate and at its targets."""
        states = {}
        for fault in _own(run):
            heard = (self._heard or {}).get(fault.name, "")
            job = flooder_job.name(run, fault.name)
            remains = f"Job {job}" if fault.name in self._remaining else ""
            state = await self._injections.state(run, fault, gates=self._gates, heard=heard, remains=remains)
            if state is not None:
                states[fault.name] = state
        return states

    async def follow(self, run: ExperimentRun, faults: Collection[str]) -> None:
        """Take from the gates the addresses of targets that are gone: whoever gets one next is not flooded."""
        injections = await self._injections.all()
        for gate in flood_gate.open_gates(injections):
            if gate.spec.fault not in faults:
                continue
            lost = await self._flooders.lost(run, flood_gate.led_to(gate, injections))
            left = flood_gate.still_there(gate, injections, lost)
            if not left:
                await self._injections.lift([gate])
            elif left != gate.spec.peers:
                await self._injections.set_peers(gate, left)

    async def lift(self, run: ExperimentRun, faults: Collection[str], *, late: bool = False) -> None:
        """Shut the gates, then end the counting, then delete the Jobs: as far as it can be done by now."""
        names = {fault.name for fault in _own(run)} & set(faults)
        if not names:
            return
        injections = await self._injections.all()
        shut = late or flood_gate.shut(injections)
        own = [each for each in injections if each.spec.fault in names]
        await self._injections.lift(each for each in own if shut or each.spec.flood_arrivals is None)
        if not shut:
            self._remaining = names
            return
        if self._heard is None:
            self._heard = await self._hear(
                run, [name for name in names if not answers.answers(injections, run.fault(name)).proven]
            )
        ended = await asyncio.gather(*(self._flooders.end(run, name) for name in sorted(names)))
        self._remaining = {name for name, gone in zip(sorted(names), ended, strict=True) if not gone}

    async def _gather(self, run: ExperimentRun, planned: Sequence[PlannedFault]) -> Finding | None:
        """Start the flooders, and wait until they are there. They send nothing yet. Returns why they are not."""
        try:
            await asyncio.gather(*(self._flooders.start(run, each) for each in planned))
        except Forbidden as error:
            return Finding(Reason.AGENT_DISABLED, f"{error}: install the chart with agent.enabled=true", Verdict.ERROR)
        give_up = self._clock.now() + flooder_job.GATHER.total_seconds()
        while True:
            flooders = await self._flooders.all(run, [each.fault.name for each in planned])
            missing = {name: flooder for name, flooder in flooders.items() if flooder.pod is None}
            if not missing:
                self._pods = {name: flooder.pod for name, flooder in flooders.items() if flooder.pod is not None}
                return None
            if self._clock.now() > give_up or any(flooder.over for flooder in missing.values()):
                return _absent(run, *next(iter(missing.items())))
            await self._pause(LOOK_SECONDS)

    async def _hear(self, run: ExperimentRun, names: Sequence[str]) -> dict[str, str]:
        """What the flooders of these faults said at their end, for a person."""
        give_up = time.monotonic() + HEAR_SECONDS
        while names:
            flooders = await self._flooders.all(run, names)
            if time.monotonic() > give_up or all(flooder.over for flooder in flooders.values()):
                return {name: said for name, flooder in flooders.items() if (said := flooder_job.silent(flooder))}
            await asyncio.sleep(LOOK_SECONDS)
        return {}


def _own(run: ExperimentRun) -> list[Fault]:
    return [fault for fault in run.spec.faults if fault.spec.hand is Hand.CROWD]


def _absent(run: ExperimentRun, name: str, flooder: Flooder) -> Finding:
    ended = "its pod ended before it could begin"
    why = flooder.problem if not flooder.over else flooder_job.silent(flooder) or ended
    return Finding(
        Reason.FLOODER_MISSING,
        f"the flooder of fault {name} is not there: {why}; look at kubectl --namespace {run.metadata.namespace} "
        f"describe job,pod --selector batch.kubernetes.io/job-name={flooder_job.name(run, name)}",
    )
