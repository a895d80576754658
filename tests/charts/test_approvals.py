"""Approvals of a game day's acts: only by the person whose name is written there, and only who may approve."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dev.cluster.apiserver import ApiServer
from dev.cluster.errors import CommandError
from showstopper.api.game_day import APPROVE
from showstopper.engine.days.preludes import APPROVALS_POLICY
from tests.api.build import game_day
from tests.charts.helm import Object, one, render

pytestmark = [pytest.mark.charts, pytest.mark.apiserver]

ALICE, OIDC = "alice", "https://issuer.example/bob"


def refusal(attempt: Callable[[], str]) -> str:
    """What was said against it; empty: it was done."""
    try:
        attempt()
    except CommandError as error:
        return str(error)
    return ""


class People:
    """Who annotates the game day: the administrator, people who may approve, and one who may only edit."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self.alice, self.bob, self.carol = (server.user(name) for name in (ALICE, OIDC, "carol"))
        for user, role in ((ALICE, "approve"), (OIDC, "approve"), ("carol", "edit")):
            name = f"{role}-{user.rpartition('/')[2]}"
            binding = ["create", "rolebinding", name, "-n", "show", f"--clusterrole=showstopper-{role}"]
            server.kubectl(*binding, f"--user={user}")
        # What aggregation gives to `edit` in a cluster with controllers.
        server.kubectl(
            "create", "rolebinding", "carol-view", "-n", "show", "--clusterrole=showstopper-view", "--user=carol"
        )

    def annotate(self, who: Path | None, value: str) -> str:
        change = f"{APPROVE}={value}" if value else f"{APPROVE}-"
        return self.server.kubectl("annotate", "--overwrite", "-n", "show", "gd", "rehearsal", change, kubeconfig=who)

    def create(self, who: Path | None, value: str) -> str:
        body = game_day({"metadata.name": "other", "metadata.annotations": {APPROVE: value}})
        return self.server.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(body), kubeconfig=who)


@pytest.fixture(scope="module")
def people(server: ApiServer) -> Iterator[People]:
    objects = render("showstopper", {}, "--set=crds.enabled=false")
    wanted = [each for each in objects if each["metadata"]["name"] == APPROVALS_POLICY or _for_people(each)]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": wanted})
    server.kubectl("apply", "-f", "-", stdin=listed)
    server.kubectl("apply", "-f", "-", stdin=json.dumps(game_day()))
    made = People(server)
    deadline = time.monotonic() + 60
    while not refusal(lambda: made.create(None, "kill/probe")):  # nothing says when a policy is in force
        assert time.monotonic() < deadline, "the policy does not come into force"
        time.sleep(0.2)
    yield made
    server.kubectl("delete", "-n", "show", "gd", "rehearsal")
    server.kubectl("delete", "--wait=false", "-f", "-", stdin=listed)


def _for_people(each: Object) -> bool:
    names = {f"showstopper-{name}" for name in ("approve", "edit", "view")}
    return each["kind"] == "ClusterRole" and each["metadata"]["name"] in names


@pytest.fixture(autouse=True)
def nothing_said(people: People) -> None:
    people.annotate(None, "")


def test_who_may_approve_does_so_in_their_own_name(people: People) -> None:
    assert "annotated" in people.annotate(people.alice, f"loss/{ALICE}")
    assert "annotated" in people.annotate(people.bob, f"loss/{OIDC}")


@pytest.mark.parametrize("name", ["bob", "alicia", "", "ALICE", "alice/x"])
def test_nobody_approves_in_the_name_of_another(people: People, name: str) -> None:
    said = refusal(lambda: people.annotate(people.alice, f"loss/{name}"))
    assert "who approves must be who writes it: write ACT/alice" in said


def test_who_may_only_edit_may_not_approve(people: People) -> None:
    assert "labeled" in people.server.kubectl("label", "-n", "show", "gd", "rehearsal", "x=y", kubeconfig=people.carol)
    said = refusal(lambda: people.annotate(people.carol, "loss/carol"))
    assert "carol may not approve acts of game day rehearsal" in said
    assert "ClusterRole showstopper-approve" in said


@pytest.mark.parametrize("value", ["encore/alice", "alice", "los/alice", "loss"])
def test_what_names_no_act_is_refused_and_the_acts_are_named(people: People, value: str) -> None:
    said = refusal(lambda: people.annotate(people.alice, value))
    assert f"no act for '{value}': write ACT/APPROVER, with one of the acts kill, loss" in said


def test_a_day_cannot_be_made_with_the_approval_of_another(people: People) -> None:
    assert "who approves must be who writes it" in refusal(lambda: people.create(None, f"loss/{ALICE}"))


def test_what_stands_there_hinders_nobody(people: People) -> None:
    """A GitOps tool that applies the day again is not asked whether it may approve; nor is who takes it away."""
    people.annotate(people.alice, f"loss/{ALICE}")
    assert "labeled" in people.server.kubectl("label", "-n", "show", "gd", "rehearsal", "x=z", "--overwrite")
    assert "annotated" in people.annotate(people.carol, "")


def test_the_policy_is_the_one_that_the_operator_asks_for() -> None:
    objects = render("showstopper")
    binding = one(objects, "ValidatingAdmissionPolicyBinding", APPROVALS_POLICY)
    assert binding["spec"] == {"policyName": APPROVALS_POLICY, "validationActions": ["Deny"]}
    (rule,) = [
        rule
        for rule in one(objects, "ClusterRole", "showstopper-operator")["rules"]
        if "validatingadmissionpolicybindings" in rule["resources"]
    ]
    assert rule["resourceNames"] == [APPROVALS_POLICY]
