"""configPush: another value in a ConfigMap for a while."""

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.workloads import ConfigPush
from showstopper.api.reasons import Reason
from showstopper.api.run import MOST_RECORDED
from showstopper.api.schema.quantities import format_duration
from showstopper.availability.verdict import Finding
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.effects import Backing, Change, ConfigMap
from showstopper.faults.observed import Observed, names
from showstopper.faults.workloads import fields
from showstopper.faults.workloads.behaviour import WorkloadBehaviour, behind, is_in_time, not_rolled_out

WRITTEN_WITHIN = timedelta(minutes=2)
"""A kubelet looks at each pod again after a minute to one and a half (`syncFrequency`, and pkg/kubelet/pod_workers.go,
workerResyncIntervalJitterFactor), and its cache may be older by some seconds."""


class ConfigPushBehaviour(WorkloadBehaviour[ConfigPush]):
    """Proven when the value was read back and, with `restart`, every pod that was there was gone before the end.

    Without a restart that says nothing of what the pods make of the value: what listeners hear does.
    """

    kind: ClassVar[type[FaultKind]] = ConfigPush
    action: ClassVar[str] = "pushes configuration to"
    answered: ClassVar[str] = "change"

    def hindrances(self, fault: Fault, backing: Backing) -> Iterator[Finding]:
        """A ConfigMap or a key that is not there, cannot be changed, or is not used; or pods that are not replaced."""
        spec = _spec(fault)
        config_map = backing.config_map(spec.config_map)
        if config_map is None:
            yield Finding(
                Reason.NO_CONFIG, f'there is no ConfigMap "{spec.config_map}", which fault {fault.name} would change'
            )
            return
        yield from _unchangeable(fault, config_map)
        if not any(spec.config_map in workload.config_maps for workload in backing.workloads):
            titles = ", ".join(workload.title for workload in backing.workloads)
            message = (
                f"the pods of {titles} do not use ConfigMap {spec.config_map}: name the one that they mount or read"
            )
            yield Finding(Reason.NO_CONFIG, f"{message} (fault {fault.name})")
        elif not spec.restart:
            yield from _unread(fault, backing)
        if spec.restart:
            yield from filter(None, (not_rolled_out(fault, workload) for workload in backing.workloads))

    def changes(self, fault: Fault, context: FaultContext, now: str) -> tuple[Change, ...]:
        """The value, and then, with `restart`, the time on each pod template.

        The way back is the same: the value that was there, and then the template that was there, which replaces the
        pods once more.
        """
        spec, backing = _spec(fault), behind(fault, context)
        config_map = backing.config_map(spec.config_map)
        assert config_map is not None, "a plan without it is refused"
        before, field = config_map.data.get(spec.key), fields.of_key(spec.key)
        pushed = Change("ConfigMap", config_map.name, config_map.uid, field, before, spec.value)
        restarts = (
            Change(workload.kind, workload.name, workload.uid, fields.RESTARTED, workload.restarted, now)
            for workload in backing.workloads
        )
        return (pushed, *restarts) if spec.restart else (pushed,)

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: the value, or pods that were to be replaced."""
        if not observed.read_back:
            return Finding(Reason.NO_EFFECT, "is not proven: the value was not read back")
        if not _restarts(observed):
            return None
        if old := [target for target in observed.targets if not is_in_time(target)]:
            return Finding(
                Reason.NO_EFFECT,
                f"is not proven: {names(old)} ran on with the value of before, and was not replaced while the fault "
                "lasted; write a longer duration",
            )
        return None

    def figures(self, observed: Observed) -> str:
        """What was read back, and how many pods were replaced."""
        if not _restarts(observed):
            return "the value was read back"
        replaced = sum(target.ended for target in observed.targets)
        return f"the value was read back, and {replaced} of {len(observed.targets)} pods replaced"


def _unchangeable(fault: Fault, config_map: ConfigMap) -> Iterator[Finding]:
    spec, title = _spec(fault), f"ConfigMap {config_map.name}"
    before, after = fields.text(config_map.data.get(spec.key)), fields.text(spec.value)
    if before is None:
        message = (
            f'{title} has no key "{spec.key}" (fault {fault.name}); it has: {", ".join(config_map.data) or "none"}'
        )
        yield Finding(Reason.NO_CONFIG, message)
        return
    if config_map.immutable:
        yield Finding(Reason.NO_CONFIG, f"{title} is immutable, and fault {fault.name} would change it")
    if before == after:
        message = f"{title} has this value already, and fault {fault.name} would change nothing: write another value"
        yield Finding(Reason.NOTHING_TO_CHANGE, message)
    if max(len(before), len(after or "")) > MOST_RECORDED:
        yield Finding(
            Reason.NO_CONFIG,
            f"key {spec.key} of {title} is too long for the record of a run, from which it is put back: it takes "
            f"{MOST_RECORDED} characters (fault {fault.name})",
        )


def _unread(fault: Fault, backing: Backing) -> Iterator[Finding]:
    """Why no pod that runs may have read the value before it is put back."""
    spec = _spec(fault)
    assert fault.duration is not None
    if not any(spec.config_map in workload.followed for workload in backing.workloads):
        yield Finding(
            Reason.NO_CONFIG,
            f"the pods of component {fault.component} read ConfigMap {spec.config_map} at their start alone (by env or "
            f"subPath): write restart: true (fault {fault.name})",
        )
    elif fault.duration < WRITTEN_WITHIN:
        yield Finding(
            Reason.DURATION_TOO_SHORT,
            f"kubelets write a new value into the files of running pods within {format_duration(WRITTEN_WITHIN)}, and "
            f"fault {fault.name} has a duration of {format_duration(fault.duration)}: make it longer, or write "
            "restart: true",
        )


def _spec(fault: Fault) -> ConfigPush:
    assert isinstance(fault.spec, ConfigPush)
    return fault.spec


def _restarts(observed: Observed) -> bool:
    return isinstance(observed.spec, ConfigPush) and observed.spec.restart
