"""Previews without a cluster: every target with its node, who acts, and the rules, once for all that get the same."""

import json
from dataclasses import replace

import pytest
import yaml
from rich.console import Console

from showstopper.api.experiment import Fault
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.cli.exit_codes import ExitCode
from showstopper.cli.views import preview
from showstopper.cli.views.output import OutputFormat
from showstopper.cli.views.preview import DayPreview, Preview
from showstopper.engine.planning.plan import Plan, PlannedFault, Snapshot
from showstopper.faults.effects import Backing, Pod, Workload
from tests.support import build

PORTS = [{"name": "media", "port": 7882, "protocol": "UDP"}, {"name": "signal", "port": 7880, "protocol": "TCP"}]
ROOM = build.room(
    components=[{"name": "relay", "selector": {"matchLabels": {"app": "relay"}}, "ports": PORTS}],
)
A = replace(build.pod("relay-a", address="198.18.0.7"), media=(("198.18.0.7", 7882),))
B = build.pod("relay-b", address="198.18.0.8")
HOST = Pod("show", "relay-h", "h-uid", "node2", "198.18.0.2", host_network=True)


def preview_of(kind: str, spec: dict[str, object], *pods: Pod, refused: Finding | None = None) -> Preview:
    lasts = {} if kind == "podKill" else {"duration": "5s"}
    fault = Fault.model_validate({"name": "bad-net", "target": {"component": "relay", "max": 5}, kind: spec, **lasts})
    snapshot = Snapshot("show", "main-stage", ROOM.spec, {}, {"relay": pods}, {("198.18.0.7", 7882): 3})
    return Preview(Plan(snapshot, (PlannedFault(fault, pods, pods),), 1), refused, {})


def shown(previewed: Preview) -> str:
    console = Console(width=160, highlight=False)
    with console.capture() as captured:
        preview.show(previewed, console)
    return captured.get()


def test_the_rules_of_a_loss_are_said_once_for_all_targets() -> None:
    text = shown(preview_of("packetLoss", {"percent": "5%", "ports": ["media"]}, A, B))
    assert "relay-a" in text
    assert "kernel: rules alone" in text
    assert "3 listeners" in text
    assert text.count("fault bad-net, rules on relay-a, relay-b (device eth0):") == 1
    assert "nft: add table netdev showstopper-bad-net.UID.0" in text
    assert 'meta l4proto { udp } th dport { 7882 } counter name "ingress-matched"' in text
    assert "numgen random mod 100000 < 5000" in text
    assert "it would run" in text


@pytest.mark.parametrize(
    ("kind", "spec", "by"),
    [
        ("podKill", {}, "API server"),
        ("delay", {"latency": "100ms"}, "netem or NFQUEUE"),
        ("bandwidth", {"rate": "2Mbit"}, "a traffic class"),
        ("packetFlood", {"port": "media", "rate": 100}, "a flooder, gated by rules alone"),
        ("joinStorm", {"port": "signal", "joins": 50}, "a storm, gated by rules alone"),
        ("connectionFlood", {"port": "signal", "rate": 50}, "a storm, gated by rules alone"),
        ("retryStorm", {"port": "signal", "clients": 9, "tries": 90}, "a storm, gated by rules alone"),
    ],
)
def test_who_acts(kind: str, spec: dict[str, object], by: str) -> None:
    assert by in shown(preview_of(kind, spec, A))


def test_a_pod_in_its_nodes_network_gets_rules_of_its_own() -> None:
    text = shown(preview_of("packetLoss", {"percent": "5%", "ports": ["media"]}, A, HOST))
    assert "rules on relay-a (device eth0):" in text
    assert "rules on relay-h (device eth0):" in text
    assert "198.18.0.2" in text


def test_what_the_agent_would_refuse_is_said() -> None:
    text = shown(preview_of("packetLoss", {"percent": "5%"}, HOST))
    assert "refused by the agent on relay-h" in text
    assert "name ports of the component" in text


def test_what_is_refused_has_no_rules() -> None:
    """Its ports may not even exist."""
    previewed = preview_of(
        "packetLoss", {"percent": "5%", "ports": ["nope"]}, A, refused=Finding(Reason.UNKNOWN_PORT, "no port")
    )
    assert "refused: UnknownPort: no port" in shown(previewed)
    assert previewed.exit_code is ExitCode.INCONCLUSIVE


@pytest.mark.parametrize("form", [OutputFormat.JSON, OutputFormat.YAML])
def test_programs_get_a_document(form: OutputFormat, capsys: pytest.CaptureFixture[str]) -> None:
    preview.document(preview_of("delay", {"latency": "100ms"}, A), form)
    out = capsys.readouterr().out
    body = json.loads(out) if form is OutputFormat.JSON else yaml.safe_load(out)
    (target,) = body["targets"]
    assert body["wouldRun"]
    assert (target["pod"], target["node"], target["kind"]) == ("relay-a", "node1", "delay")
    assert any(rule.startswith("queue ") for rule in target["rules"])


def test_the_gate_of_a_storm_is_shown_towards_its_target() -> None:
    text = shown(preview_of("joinStorm", {"port": "signal", "joins": 50}, A))
    assert "meta l4proto { tcp, udp } th dport { 7880, 7882 }" in text
    assert "198.18.0.7" in text


def test_what_would_be_changed_is_told_with_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    previewed = preview_of("scaleDown", {"replicas": 1}, A, B)
    known = {"relay": Backing((Workload("Deployment", "relay", "u", replicas=2),))}
    previewed = replace(
        previewed, plan=replace(previewed.plan, snapshot=replace(previewed.plan.snapshot, backing=known))
    )
    assert "fault bad-net would change spec.replicas of Deployment relay from 2 to 1, and back" in shown(previewed)
    preview.document(previewed, OutputFormat.JSON)
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert (change["name"], change["field"], change["before"], change["after"]) == ("relay", "/spec/replicas", "2", "1")
    refused = replace(previewed, refused=Finding(Reason.NO_TARGETS, "why"))
    assert "would change" not in shown(refused)


def test_the_acts_of_a_game_day_are_shown_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    refused = preview_of("delay", {"latency": "100ms"}, refused=Finding(Reason.NO_TARGETS, "nobody is there"))
    acts = {"opening": preview_of("delay", {"latency": "100ms"}, A), "encore": refused}
    console = Console(width=160, highlight=False)
    with console.capture() as captured:
        preview.show_day(DayPreview(acts, Finding(Reason.WINDOW_PASSED, "too late")), console)
    first, _, second = captured.get().partition("act 2 of 2, encore\n")
    second, _, whole = second.partition("the game day\n")
    assert first.startswith("act 1 of 2, opening\n")
    assert "it would run" in first
    assert "refused: NoTargets: nobody is there" in second
    assert whole == "refused: WindowPassed: too late\n"
    preview.document_day(DayPreview(acts, None), OutputFormat.JSON)
    body = json.loads(capsys.readouterr().out)
    assert (body["wouldRun"], [act["wouldRun"] for act in body["acts"]]) == (False, [True, False])
    assert body["refusal"] is None


def test_a_day_that_is_refused_as_a_whole_would_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    acts = {"opening": preview_of("delay", {"latency": "100ms"}, A)}
    assert DayPreview(acts, None).exit_code is ExitCode.PASSED
    refused = DayPreview(acts, Finding(Reason.WINDOW_PASSED, "too late"))
    assert refused.exit_code is ExitCode.INCONCLUSIVE
    preview.document_day(refused, OutputFormat.JSON)
    body = json.loads(capsys.readouterr().out)
    assert (body["wouldRun"], body["refusal"]) == (False, {"reason": "WindowPassed", "message": "too late"})
