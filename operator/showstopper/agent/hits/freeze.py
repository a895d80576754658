"""Freezing: one target's container stands still for as long as its lease holds, and goes on afterwards."""

import time
from pathlib import Path

from showstopper.agent.containers import Containers
from showstopper.agent.frozen import Frozen, FrozenCgroups
from showstopper.agent.hits.records import set_state
from showstopper.agent.kernel.cgroups import Place, cpu_microseconds
from showstopper.agent.kernel.freezer import Freezer, State
from showstopper.agent.leases import Lease
from showstopper.api.faults.process import ProcessFigures
from showstopper.api.injection import InjectedTarget, InjectionTarget, TargetState
from showstopper.clock import Clock, to_timestamp
from showstopper.errors import AgentError, ContainerGone, EffectRefused, KernelRefused, LeaseLost

# The kernel counts CPU time at its ticks, 10 ms apart at the most: a shorter look would see none, frozen or not.
LEAST_SECONDS = 0.1
# Whoever joins a frozen container, such as a probe that is a command, may take so much before it stands still too.
MOST_CPU_SHARE = 0.01


class FreezeHit:
    """A freeze of one target (see `hits.Hit`), proven when its cgroup reads frozen and no CPU time passes in it."""

    def __init__(
        self, target: InjectionTarget, name: str, *, containers: Containers, frozen: FrozenCgroups, clock: Clock
    ) -> None:
        self.record = InjectedTarget(uid=target.uid, pod=target.pod, state=TargetState.REFUSED)
        self.method: str | None = None
        self._target, self._name = target, name
        self._containers, self._frozen, self._clock = containers, frozen, clock
        self._place: Place | None = None
        self._lease: Lease | None = None
        self._processes = self._cpu = 0
        self._since = 0.0

    def arm(self, until: float) -> None:
        """Write its end down, then freeze it; or take everything back, and say why in the record."""
        try:
            self._freeze(until)
        except (AgentError, OSError) as error:
            self.lift()
            if self.record.state is not TargetState.LEFT_OVER:
                gone = isinstance(error, ContainerGone | FileNotFoundError)
                set_state(self.record, TargetState.GONE if gone else TargetState.REFUSED, str(error))
            return
        set_state(self.record, TargetState.ARMED)
        self.record.armed_at = self._now()

    def refresh(self, until: float) -> None:
        """Move its end, in the file that the watchdog reads too.

        Raises:
            LeaseLost: it has ended already, by whose hand ever.
        """
        if self._lease is None:
            return
        self._lease.renew(until)
        try:
            self._write()
        except OSError as error:
            self.lift()
            self.record.message = f"it could not be kept up: {error}"[:1024]

    def follow(self, peers: tuple[str, ...]) -> None:
        """Nothing: processes have no peers."""

    def look(self) -> bool:
        """Look whether it stands still; whether this was the first time that it is proven. Notes when it is no more."""
        if self.record.state is not TargetState.ARMED:
            return False
        before = self.record.proven
        if (why := self._measure()) is not None:
            self.lift()
            set_state(self.record, TargetState.GONE, why)
        return self.record.proven and not before

    def lift(self) -> None:
        """Thaw it, and look whether it is; what does not thaw stays written down, and the watchdog tries on."""
        if self._place is None:
            return
        if self.record.state is TargetState.ARMED:
            self._measure()
        freezer = Freezer(self._place.freezer)
        self._place = self._lease = None
        problem = _thaw(freezer)
        if problem is None:
            self._frozen.forget(self._name)
        set_state(self.record, TargetState.LEFT_OVER if problem else TargetState.LIFTED)
        self.record.leftovers = [problem[:256]] if problem else []
        self.record.lifted_at = self._now()

    def _freeze(self, until: float) -> None:
        place, self._processes = self._containers.place(self._target.uid, self._target.container_id or "")
        freezer = Freezer(place.freezer)
        if freezer.state is not State.THAWED:
            raise EffectRefused(
                f"the container of {self._target.pod} is {freezer.state.value} already, not by this fault"
            )
        if not self._frozen.watched(time.time()):
            raise EffectRefused("no watchdog beside this agent, which would thaw it if the agent died: look at its pod")
        lease = Lease(until)
        if lease.lost:
            raise LeaseLost(f"{self._name}: the lease has run out already")
        self._place, self._lease = place, lease
        self._write()
        freezer.freeze()
        if not freezer.settles(State.FROZEN):
            raise KernelRefused(f"the container of {self._target.pod} does not freeze: it reads {freezer.state.value}")
        self._since, self._cpu = time.monotonic(), cpu_microseconds(place.cpu_time)
        if lease.lost:
            raise LeaseLost(f"{self._name}: the lease ran out while it was frozen")
        self.method = freezer.method

    def _write(self) -> None:
        assert self._place is not None, "armed"
        assert self._lease is not None, "armed"
        self._frozen.write(Frozen(self._name, str(self._place.freezer), self._lease.until))

    def _measure(self) -> str | None:
        """Note the figures; why it does not stand still any more, if it does not."""
        assert self._place is not None, "armed"
        try:
            state, cpu = Freezer(self._place.freezer).state, cpu_microseconds(self._place.cpu_time) - self._cpu
        except OSError:
            state = State.GONE
        if state is State.GONE:
            return f"the container of {self._target.pod} is gone, and its cgroup with it"
        if state is not State.FROZEN:
            return f"the container of {self._target.pod} was thawed by somebody else"
        frozen = time.monotonic() - self._since
        self.record.processes = ProcessFigures(
            at=self._now(),
            processes=self._processes,
            frozen_milliseconds=int(frozen * 1000),
            cpu_microseconds=cpu,
        )
        still = cpu <= frozen * 1e6 * MOST_CPU_SHARE
        self.record.proven = self._processes > 0 and frozen >= LEAST_SECONDS and still
        return None

    def _now(self) -> str:
        return to_timestamp(self._clock.now())


def sweep(frozen: FrozenCgroups) -> list[str]:
    """Thaw what an earlier life of the agent left frozen, before anything is; what there was, or is still."""
    found = []
    for one in frozen.all():
        freezer = Freezer(Path(one.folder))
        if freezer.state in {State.FROZEN, State.FREEZING}:
            found.append(one.folder)
        if (problem := _thaw(freezer)) is None:
            frozen.forget(one.name)
        else:
            found.append(problem)
    return found


def _thaw(freezer: Freezer) -> str | None:
    """Thaw it, and wait until it reads so; why it does not, if it does not."""
    try:
        freezer.thaw()
        if freezer.settles(State.THAWED, State.GONE):
            return None
    except OSError as error:
        return f"{freezer.folder} cannot be thawed: {error.strerror}"
    return f"{freezer.folder} still reads {freezer.state.value}"
