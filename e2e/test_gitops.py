"""What GitOps tools see of an experiment is right at every moment: kubectl wait, kstatus, and Helm's --wait."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dev.cluster.errors import CommandError
from e2e import judges
from tests.support.staged_room import LONG, PASSED, Object, Show, condition, eventually, experiment, stands, told

pytestmark = pytest.mark.cluster

POLL_SECONDS = 0.05
# Nobody is out when a relay dies that serves nobody: one bound that is met for certain, and one that is not.
MET = ({"indicator": "AudibleRatio", "min": "80%"},)
NOT_MET = ({"indicator": "OutageCount", "min": "1000"},)


def test_kubectl_wait_returns_with_the_verdict(show: Show) -> None:
    """Both conditions that people wait for. The second is asked without waiting, as a pipeline does it."""
    show.apply(experiment("wait"))
    wait = ["--namespace", show.namespace, "wait", "experiment/wait"]
    show.cluster.run_kubectl(*wait, "--for=condition=Finished", "--timeout=240s")
    resource = show.experiment("wait")
    assert resource["status"]["verdict"] == "Passed", resource["status"]
    show.cluster.run_kubectl(*wait, "--for=condition=Ready", "--timeout=0")
    # A new generation is not over because the one before was.
    show.wait_until_well()
    show.apply(experiment("wait", expect=NOT_MET))
    with pytest.raises(CommandError):
        show.cluster.run_kubectl(*wait, "--for=condition=Ready", "--timeout=0")
    show.cluster.run_kubectl(*wait, "--for=condition=Finished", "--timeout=240s")
    assert show.experiment("wait")["status"]["verdict"] == "Failed"
    with pytest.raises(CommandError):
        show.cluster.run_kubectl(*wait, "--for=condition=Ready", "--timeout=0")


def test_a_poll_never_sees_an_end_before_the_verdict(show: Show) -> None:
    """From the creation to the first verdict, and from a change to the second."""
    for revision in ("1", "2"):
        show.wait_until_well()
        with polled(show, "poll", PASSED if revision == "2" else None) as seen:
            show.apply(experiment("poll", revision=revision))
            resource, run = show.verdict("poll")
        assert run["status"]["verdict"] == "Passed", told(run)
        generation = resource["metadata"]["generation"]
        current = [each for each in seen if each["metadata"]["generation"] == generation]
        assert len(current) > 50, "a poll of seconds"
        for each, status in zip(current, judges.kstatus(current), strict=True):
            over = each["status"].get("run", {}).get("name") == run["metadata"]["name"] and each["status"].get(
                "verdict"
            )
            assert status == ("Current" if over else "InProgress"), each["status"]
            for kind in ("Ready", "Finished", "Stalled"):
                if _true_for(each, kind, generation):
                    assert over, f"{kind} before the verdict: {each['status']}"
            assert not (stands(each).get("Reconciling") == stands(each).get("Stalled") == "True")
        assert judges.kstatus([current[-1]]) == ["Current"]


def test_a_failed_run_is_failed_to_kstatus(show: Show) -> None:
    """And not until it is over."""
    with polled(show, "failed", None) as seen:
        show.apply(experiment("failed", expect=NOT_MET))
        resource, run = show.verdict("failed")
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Failed", "ExpectationMissed"), told(run)
    assert judges.kstatus([resource]) == ["Failed"]
    for each, status in zip(seen, judges.kstatus(seen), strict=True):
        assert status == ("Failed" if each["status"].get("verdict") else "InProgress"), each["status"]


def test_a_run_asked_for_by_annotation_is_told_apart(show: Show) -> None:
    """No new generation: whoever asked looks at lastHandledRunRequest, and sees no end before that run's verdict."""
    show.apply(experiment("asked"))
    _, first = show.verdict("asked")
    show.wait_until_well()
    annotate = ["annotate", "experiment", "asked", "showstopper.dev/run-requested=now", "--overwrite"]
    with polled(show, "asked", PASSED) as seen:
        show.cluster.run_kubectl("--namespace", show.namespace, *annotate)

        def answered() -> bool:
            status = show.experiment("asked")["status"]
            return status.get("lastHandledRunRequest") == "now" and status.get("verdict") is not None

        eventually("the request has its verdict", LONG, answered)
    runs = show.runs("asked")
    (second,) = [run for run in runs if run["metadata"]["uid"] != first["metadata"]["uid"]]
    assert second["spec"]["experiment"]["runRequest"] == "now"
    assert second["status"]["verdict"] == "Passed", told(second)
    after = [each for each in seen if each["status"].get("lastHandledRunRequest") == "now"]
    assert after
    for each, status in zip(after, judges.kstatus(after), strict=True):
        assert each["status"]["run"]["name"] == second["metadata"]["name"]
        assert status == ("Current" if each["status"].get("verdict") else "InProgress"), each["status"]


def test_helm_waits_for_the_verdict(show: Show, tmp_path: Path) -> None:
    """Helm 4 waits as kstatus reads: it returns with a pass, and never takes a failure for done."""
    install = ["upgrade", "--install", "rehearsal", str(tmp_path), "--namespace", show.namespace]
    show.adopt("helm")
    try:
        _chart(tmp_path, experiment("helm", expect=MET))
        show.cluster.run_helm(*install, "--wait", "--timeout=4m")
        assert show.experiment("helm")["status"]["verdict"] == "Passed"
        show.wait_until_well()
        _chart(tmp_path, experiment("helm", expect=NOT_MET))
        show.cluster.run_helm(*install)
        _, run = show.verdict("helm")
        assert run["status"]["verdict"] == "Failed", told(run)
        with pytest.raises(CommandError):
            show.cluster.run_helm(*install, "--wait", "--timeout=5s")
    finally:
        show.cluster.run_helm("uninstall", "rehearsal", "--namespace", show.namespace, "--ignore-not-found")


def test_helm_ends_with_the_verdict_of_this_release_on_all_five(show: Show, tmp_path: Path) -> None:
    """Five experiments whose revision is the image's tag: one after another, and never the last one's verdict."""
    names = [f"five-{number}" for number in range(1, 6)]
    revision = "{{ .Values.image.tag }}"
    install = ["upgrade", "--install", "rehearsal", str(tmp_path), "--namespace", show.namespace, "--wait"]
    for name in names:
        show.adopt(name)
    try:
        _chart(tmp_path, *(experiment(name, revision=revision) for name in names))
        show.cluster.run_helm(*install, "--timeout=6m", "--set-string=image.tag=1.0")
        released = _released(show, names, "1.0")
        assert [run["status"]["verdict"] for _, run in released] == ["Passed"] * 5, [told(run) for _, run in released]
        assert all(stands(each) == PASSED for each, _ in released)
        times = sorted((run["status"]["startedAt"], run["status"]["finishedAt"]) for _, run in released)
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(times)), times
        show.wait_until_well()
        _chart(tmp_path, *(experiment(name, revision=revision, baseline="1s", expect=NOT_MET) for name in names))
        with pytest.raises(CommandError):
            show.cluster.run_helm(*install, "--timeout=1m", "--set-string=image.tag=1.1")
        verdicts = [run["status"]["verdict"] for _, run in _released(show, names, "1.1")]
        assert verdicts == ["Failed"] * 5
    finally:
        show.cluster.run_helm("uninstall", "rehearsal", "--namespace", show.namespace, "--ignore-not-found")


def _released(show: Show, names: list[str], revision: str) -> list[tuple[Object, Object]]:
    """What there is of this release when all have ended: the experiments, and the one run of each."""
    pairs = [show.verdict(name) for name in names]
    assert {run["spec"]["experiment"]["revision"] for _, run in pairs} == {revision}
    return pairs


@contextmanager
def polled(show: Show, name: str, before: dict[str, str] | None) -> Iterator[list[Object]]:
    """What a look every 50 ms sees of an experiment in the block. Its conditions were `before`, if that is given."""
    seen: list[Object] = []
    done = threading.Event()
    path = show.path("experiments")

    def look() -> None:
        items = show.api.get(path, fieldSelector=f"metadata.name={name}")["items"]
        # Items of a list do not say what they are.
        seen.extend({**each, "apiVersion": "showstopper.dev/v1alpha1", "kind": "Experiment"} for each in items)

    def poll() -> None:
        while not done.wait(POLL_SECONDS):
            look()

    if before is not None:
        assert stands(show.experiment(name)) == before
    thread = threading.Thread(target=poll, name=f"poll of {name}")
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()
    look()  # what ended the block came after the last look, more often than not


def _true_for(resource: Object, kind: str, generation: int) -> bool:
    """As kubectl wait reads a condition."""
    entry = condition(resource, kind)
    return bool(entry["status"] == "True" and entry["observedGeneration"] >= generation)


def _chart(folder: Path, *manifests: Object) -> None:
    """The smallest chart: its experiments."""
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "Chart.yaml").write_text(json.dumps({"apiVersion": "v2", "name": "rehearsal", "version": "0.1.0"}))
    for number, manifest in enumerate(manifests):
        (folder / "templates" / f"experiment-{number}.yaml").write_text(json.dumps(manifest))
