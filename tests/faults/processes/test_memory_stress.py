"""memoryStress: proven by what is taken or, over the limit, by whom the kernel has killed; refused without a limit."""

from dataclasses import replace
from typing import Any

import pytest

from showstopper.api.experiment import Fault
from showstopper.api.faults.process import MemoryStress, ProcessFigures
from showstopper.faults import registry
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.effects import Container
from showstopper.faults.observed import Observed, ObservedTarget
from tests.support import build

STRESS = registry.of_kind(MemoryStress)
MIB = 1 << 20
OVER = MemoryStress(over_limit=True)


def figures(**more: int) -> ProcessFigures:
    fields = {"processes": 3, "stress_bytes": 300 * MIB, "memory_bytes": 461 * MIB, "memory_limit_bytes": 512 * MIB}
    return ProcessFigures(at="2026-01-01T00:00:00.000000Z", **{**fields, **more})


def observed(
    seen: ProcessFigures, fault: MemoryStress, *, proven: bool = True, lasted: float | None = None
) -> Observed:
    return Observed("full", (ObservedTarget("a", proven=proven, processes=seen, lasted=lasted),), spec=fault)


def test_it_says_what_is_taken_and_what_is_in_use() -> None:
    full = observed(figures(), MemoryStress.model_validate({"percent": "90%"}))
    assert STRESS.proof(full) is None
    assert STRESS.outcome(full) == "proven on every target: 300 MiB taken, 461 of 512 MiB in use"


@pytest.mark.parametrize("spec", [{"percent": "95%"}, {"size": "300Mi"}])
def test_the_time_on_the_way_up_is_no_test(spec: dict[str, Any]) -> None:
    fault = MemoryStress.model_validate(spec)
    finding = STRESS.proof(observed(figures(held_milliseconds=3000), fault, lasted=15.0))
    assert finding is not None
    assert finding.reason == "TooBrief"
    assert finding.message.startswith("had as much memory of a as was declared for 3.0 s of 15.0 s")
    assert "write a duration of 60s or more" in finding.message
    assert STRESS.proof(observed(figures(held_milliseconds=12_100), fault, lasted=15.0)) is None
    assert STRESS.proof(observed(figures(), fault, lasted=15.0)) is not None, "an agent that does not say it"


def test_a_pod_that_was_replaced_had_no_time_and_counts_with_the_one_in_its_place() -> None:
    fault = MemoryStress.model_validate({"percent": "95%"})

    def proof(*targets: tuple[float, float, str]) -> str | None:
        each = (
            ObservedTarget(
                "a",
                proven=True,
                gone=what == "gone",
                excused=what == "late",
                processes=figures(held_milliseconds=int(held * 1000)),
                lasted=lasted,
            )
            for held, lasted, what in targets
        )
        finding = STRESS.proof(Observed("full", tuple(each), spec=fault))
        return finding.message if finding is not None else None

    assert proof((1, 3, "gone"), (26, 27, "")) is None
    assert proof((26, 27, "gone"), (1, 3, "late")) is None
    assert "of its targets as was declared for 13.0 s of 30.0 s" in (proof((0, 16, "gone"), (13, 14, "")) or "")
    assert "of a as was declared for 1.0 s of 3.0 s" in (proof((30, 30, ""), (1, 3, "")) or ""), "no other's time helps"


def test_over_the_limit_nothing_is_held() -> None:
    assert STRESS.proof(observed(figures(oom_kills=1), OVER, lasted=15.0)) is None


def test_without_a_limit_there_is_none_to_tell() -> None:
    seen = figures().model_copy(update={"memory_limit_bytes": None})
    assert STRESS.figures(observed(seen, MemoryStress(size="300Mi"))) == "300 MiB taken, 461 MiB in use"


def test_over_the_limit_it_says_whom_the_kernel_killed() -> None:
    seen = observed(figures(oom_kills=1, stress_oom_kills=2), OVER)
    assert STRESS.proof(seen) is None
    assert STRESS.figures(seen) == (
        "300 MiB taken, 461 of 512 MiB in use; 1 of the container's processes killed for want of memory, and 2 of ours"
    )


def test_over_the_limit_our_own_process_is_no_proof_and_that_is_said() -> None:
    finding = STRESS.proof(observed(figures(oom_kills=0, stress_oom_kills=1), OVER, proven=False))
    assert finding is not None
    assert finding.reason == "NoEffect"
    assert finding.message.endswith("and 1 of ours: the kernel ended our process and spared the container's")


@pytest.mark.parametrize(
    ("spec", "limit", "refused"),
    [
        ({"percent": "90%"}, "", True),
        ({"overLimit": True}, "", True),
        ({"size": "64Mi"}, "", False),
        ({"percent": "90%"}, "512Mi", False),
        ({"overLimit": True}, "512Mi", False),
    ],
)
def test_what_is_measured_by_a_limit_needs_one(spec: dict[str, Any], limit: str, refused: bool) -> None:
    pod = replace(build.pod("relay-a"), containers=(Container("livekit", "ab" * 32, memory_limit=limit),))
    fault = Fault.model_validate(
        {"name": "full", "target": {"component": "relay"}, "duration": "5s", "memoryStress": spec}
    )
    findings = list(STRESS.objections(fault, FaultContext("show", "main-stage", build.room().spec, (pod,))))
    assert [finding.reason for finding in findings] == (["NoMemoryLimit"] if refused else [])
    if refused:
        assert "write size instead, or give the container resources.limits.memory" in findings[0].message


def test_only_over_the_limit_it_is_meant_to_end_its_targets() -> None:
    assert OVER.ends_targets
    assert not MemoryStress(size="1Mi").ends_targets
    assert MemoryStress(size="2Gi").size_bytes == 2 << 30
