"""The listener's agent against a relay that is played: it checks and nominates, or it is a lite one."""

from showstopper.audio.crowd import stun
from showstopper.audio.crowd.ice import Agent, Credentials

RELAY = Credentials("theirs", "their-password")
AT = ("10.0.3.7", 50017)
TRANSACTION = bytes(range(12))


def check(agent: Agent, *, nominate: bool, key: str = "") -> bytes:
    """A check of the relay; controlling ones of ours nominate at once, its first does not."""
    full = stun.request(f"{agent.own.ufrag}:theirs", (key or agent.own.password).encode(), 1, controlling=nominate)
    assert (stun.USE_CANDIDATE in stun.read(full).attributes) is nominate  # type: ignore[union-attr]
    return full


def agent_of(*, lite: bool = False) -> Agent:
    agent = Agent()
    assert agent.describe(RELAY, lite=lite)
    return agent


def test_a_check_is_answered_and_a_check_of_our_own_follows_so_that_the_relay_nominates_at_once() -> None:
    agent = agent_of()
    answer, own = agent.take(check(agent, nominate=False), AT)
    answered = stun.read(answer)
    assert answered is not None
    assert answered.kind == stun.RESPONSE
    assert answered.is_sealed_with(agent.own.password.encode())
    asked = stun.read(own)
    assert asked is not None
    assert asked.kind == stun.REQUEST
    assert asked.is_sealed_with(b"their-password")
    assert asked.attributes[stun.USERNAME] == f"theirs:{agent.own.ufrag}".encode()
    assert stun.CONTROLLED in asked.attributes
    assert agent.selected is None


def test_the_pair_that_is_nominated_is_selected_and_then_only_answers_are_given() -> None:
    agent = agent_of()
    agent.take(check(agent, nominate=True), AT)
    assert agent.selected == AT
    assert len(agent.take(check(agent, nominate=False), AT)) == 1


def test_a_later_nomination_is_followed() -> None:
    agent = agent_of()
    agent.take(check(agent, nominate=True), AT)
    agent.take(check(agent, nominate=True), ("10.0.3.8", 50018))
    assert agent.selected == ("10.0.3.8", 50018)


def test_who_does_not_know_the_password_gets_no_answer_and_selects_nothing() -> None:
    agent = agent_of()
    assert agent.take(check(agent, nominate=True, key="guessed"), AT) == []
    assert agent.selected is None


def test_new_credentials_begin_afresh_and_the_same_ones_do_not() -> None:
    agent = agent_of()
    agent.add(AT)
    agent.take(check(agent, nominate=True), AT)
    before = agent.own
    assert not agent.describe(RELAY, lite=False)
    assert agent.selected == AT
    assert agent.describe(Credentials("other", "other-password"), lite=False)
    assert agent.selected is None
    assert not agent.candidates
    assert agent.own != before
    assert agent.take(check(agent, nominate=True, key=before.password), AT) == []


def test_a_full_agent_s_candidates_are_not_checked_before_it_checks() -> None:
    assert agent_of().add(AT) == []


def test_a_lite_agent_is_checked_and_its_answer_selects() -> None:
    agent = agent_of(lite=True)
    (asked,) = agent.add(AT)
    message = stun.read(asked)
    assert message is not None
    assert {stun.CONTROLLING, stun.USE_CANDIDATE} <= set(message.attributes)
    mapped = stun.mapped_address(("10.0.3.9", 4000), TRANSACTION)
    agent.take(stun.response(TRANSACTION, mapped, b"their-password"), AT)
    assert agent.selected is None, "an answer to nothing that was asked"
    agent.take(stun.response(message.transaction, mapped, b"guessed"), AT)
    assert agent.selected is None, "an answer of somebody else"
    agent.take(stun.response(message.transaction, mapped, b"their-password"), AT)
    assert agent.selected == AT


def test_an_answer_from_elsewhere_changes_nothing_once_a_pair_is_selected() -> None:
    agent = agent_of(lite=True)
    first, second = agent.add(AT)[0], agent.checks()[0]
    mapped = stun.mapped_address(("10.0.3.9", 4000), TRANSACTION)
    agent.take(stun.response(first[8:20], mapped, b"their-password"), AT)
    assert agent.take(stun.response(second[8:20], mapped, b"their-password"), ("10.0.3.8", 50018)) == []
    assert agent.selected == AT
