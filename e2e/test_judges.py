"""The real judges on every state: never healthy too early, never progressing for ever, never green without a status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.cluster import paths
from e2e import judges
from tests.support import argocd, states
from tests.support.states import DONE, FAILED, HELD, WAITING, Case

FLUX = paths.PROJECT / "examples" / "gitops" / "flux" / "rehearsed-release.yaml"
MEANS = {
    WAITING: ("InProgress", "Progressing", "InProgress"),
    DONE: ("Current", "Healthy", "Current"),
    FAILED: ("Failed", "Degraded", "Failed"),
    HELD: ("InProgress", "Suspended", "InProgress"),
}
ARGOCD_GREEN = {"Healthy", ""}
"""An empty answer is no health, and a hook without health has succeeded."""


def expressions() -> dict[str, dict[str, str]]:
    """The healthCheckExprs of our example by kind, for all kinds. Runs are no part of a Kustomization."""
    declared: list[dict[str, Any]] = next(iter(yaml.safe_load_all(FLUX.read_text())))["spec"]["healthCheckExprs"]
    by_kind = {check["kind"]: {key: check[key] for key in ("failed", "current")} for check in declared}
    return {"ExperimentRun": by_kind["Experiment"], **by_kind}


@pytest.fixture(scope="module")
def judged() -> dict[str, tuple[Case, judges.Judgement]]:
    cases = states.every()
    judgements = judges.judge([case.body for case in cases], lua=argocd.HEALTH.read_text(), flux=expressions())
    return {case.name: (case, judgement) for case, judgement in zip(cases, judgements, strict=True)}


@pytest.mark.parametrize("name", [case.name for case in states.every()])
def test_everybody_reads_every_state_as_it_is_meant(name: str, judged: dict[str, Any]) -> None:
    case, judgement = judged[name]
    kstatus, argocd, flux = MEANS[case.means]
    deleting = "deletionTimestamp" in case.body["metadata"]
    assert judgement.kstatus == ("Terminating" if deleting else kstatus)
    assert judgement.argocd == argocd
    # Flux asks kstatus first whether it is being deleted; its expressions do not.
    assert deleting or judgement.flux == flux


def test_a_resource_without_any_status_is_green_to_nobody() -> None:
    """Such as one that an API server without our CRD's default has."""
    bare = {**states.every()[0].body}
    del bare["status"]
    (judgement,) = judges.judge([bare], lua=argocd.HEALTH.read_text(), flux=expressions())
    assert judgement.argocd not in ARGOCD_GREEN
    assert judgement.flux != "Current"


def test_what_argo_cd_is_given_is_what_the_chart_has() -> None:
    stale = [path for path, text in argocd.files().items() if not _same(argocd.FOLDER / path, text)]
    assert not stale, "run `make argocd`"


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text
