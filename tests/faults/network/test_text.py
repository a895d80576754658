"""nftables' own language: the kernel makes the same of it as of the JSON that is really used."""

import json
import subprocess

import pytest
from hypothesis import given, settings

from showstopper.agent.kernel.namespaces import Namespace
from showstopper.faults.network.behaviour import plan_of
from showstopper.faults.network.plan import Method, Plan
from showstopper.faults.network.rules import Device, Site
from showstopper.faults.network.text import line
from showstopper.faults.network.traffic import NetworkEffect
from tests.faults.network.build import effects

QUEUE = {"queue": {"num": 21250, "flags": ["bypass"]}}
LO = Site((Device("lo", 1),))


def test_a_queue_of_its_own() -> None:
    command = {"add": {"rule": {"family": "ip", "table": "t", "chain": "c", "expr": [QUEUE]}}}
    assert line(command) == "add rule ip t c queue flags bypass to 21250"


@pytest.mark.netns
@settings(max_examples=30, deadline=None)
@given(effects())
def test_it_says_what_the_json_says(effect: NetworkEffect) -> None:
    plan = plan_of(effect, LO, 1, Method.NFQUEUE_XT)  # not every kernel has nftables' own queue
    with Namespace.scratch() as scratch:
        scratch.call(lambda: _detoured(plan))
        assert scratch.call(lambda: _typed(plan)) == scratch.call(lambda: _sent(plan))


def _detoured(plan: Plan) -> None:
    """Make the devices that the agent makes before it sets the rules that send packets there."""
    for name in {traffic_class.shaper for traffic_class in plan.traffic_classes}:
        subprocess.run(["ip", "link", "add", name, "type", "ifb"], check=True)


def _typed(plan: Plan) -> str:
    # nft knows a traffic class only with something behind it, such as the end of its line.
    return _listed("".join(f"{line(command)}\n" for command in plan.commands))


def _sent(plan: Plan) -> str:
    return _listed(json.dumps({"nftables": plan.commands}), "-j")


def _listed(text: str, *options: str) -> str:
    """The rules that there are then; they are gone afterwards."""
    done = subprocess.run(["nft", *options, "-f", "-"], input=text, capture_output=True, text=True, check=False)
    listed = subprocess.run(["nft", "-s", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    assert not done.stderr
    return listed
