"""Profiles: every name has a network of two ways, and the page that people read has the same figures."""

import pytest

from showstopper.api.faults.network import Delay, Direction, Profile
from showstopper.faults.network.profiles import LINKS, Link
from tests.support.api_server import ROOT

PAGE = ROOT / "docs" / "last-mile.md"
each = pytest.mark.parametrize("profile", list(Profile))


def rate(link: Link) -> str:
    bits = link.limit.bits_per_second
    return f"{bits / 1e6:g} Mbit/s" if bits >= 1e6 else f"{bits / 1e3:g} kbit/s"


def jitter(down: Link, up: Link) -> str:
    if down.jitter == up.jitter:
        return f"{down.jitter} ms" if down.jitter else ""
    return f"{down.jitter} ms down, {up.jitter} ms up"


@each
def test_both_ways_are_such_as_can_be_made(profile: Profile) -> None:
    assert LINKS[profile].keys() == set(Direction.BOTH.single)
    for link in LINKS[profile].values():
        assert Delay(latency=link.delay, jitter=link.spread).latency == link.delay
        assert 0 <= link.loss < 1


@each
def test_the_page_has_its_figures_and_their_source(profile: Profile) -> None:
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{profile}` |"))
    down, up = LINKS[profile][Direction.INGRESS], LINKS[profile][Direction.EGRESS]
    assert (down.latency, down.loss) == (up.latency, up.loss), "the page has one column for both"
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    loss = f"{down.loss * 100:g} %" if down.loss else ""
    assert cells[1:-1] == [rate(down), rate(up), f"{down.latency} ms", jitter(down, up), loss]
    assert cells[-1].startswith(("Loadero, ", "BrowserStack, "))
