"""The commands for game days against a real API server: what they show, ask for and wait for, and how they end."""

import json

import pytest

from dev.cluster import waiting
from dev.cluster.apiserver import ApiServer
from showstopper.api import conditions
from showstopper.api.reasons import Reason
from tests.cli.days import Day
from tests.cli.stand_ins import SECONDS, Person, ended

pytestmark = pytest.mark.apiserver


def administrator(server: ApiServer) -> str:
    """The name by which the API server knows who holds its kubeconfig."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = json.loads(server.kubectl("create", "-o", "json", "-f", "-", stdin=json.dumps(review)))
    return str(answer["status"]["userInfo"]["username"])


def test_an_approval_is_in_one_s_own_name_and_ends_when_the_operator_has_it(server: ApiServer) -> None:
    day, admin = Day(server, "approved"), administrator(server)
    day.hold()
    process = Person(server).start("gameday", "approve", "approved", "loss")
    waiting.until(lambda: day.said() == f"loss/{admin}", "nobody approved", seconds=SECONDS)
    assert process.poll() is None, "the operator has not taken note yet"
    day.approved(admin)
    code, out, err = ended(process)
    assert (code, out, err) == (0, f"act loss of game day show/approved was approved by {admin}\n", "")


def test_what_stood_there_before_the_hold_is_taken_away_first(server: ApiServer) -> None:
    """Else it would change nothing, and the operator would wait for ever."""
    day, admin = Day(server, "again"), administrator(server)
    day.annotate(f"loss/{admin}")
    day.hold(standing=f"loss/{admin}")
    process = Person(server).start("gameday", "approve", "again", "loss")
    waiting.until(lambda: day.said() is None, "the old one was not taken away", seconds=SECONDS)
    day.hold()
    waiting.until(lambda: day.said() == f"loss/{admin}", "nobody approved", seconds=SECONDS)
    day.approved(admin)
    assert ended(process)[0] == 0


def test_whoever_approves_at_the_same_time_as_somebody_else_is_told_who_has_approved(server: ApiServer) -> None:
    day, admin = Day(server, "contested"), administrator(server)
    day.hold()
    process = Person(server).start("gameday", "approve", "contested", "loss")
    waiting.until(lambda: day.said() == f"loss/{admin}", "nobody approved", seconds=SECONDS)
    day.approved("ada")
    code, out, err = ended(process)
    assert (code, out) == (4, "")
    assert err == "error: act loss of game day show/contested was approved by ada at the same time\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("none", "loss"), 'there is no GameDay "none" in namespace show: kubectl get gamedays.showstopper.dev -A'),
        (("early", "encore"), 'game day show/early has no act "encore"; it has: kill, loss'),
        (("early", "kill"), "act kill of game day show/early does not await approval"),
        (("early", "loss"), "the operator has not observed it yet"),
    ],
    ids=["no day", "no act", "no hold", "too early"],
)
def test_what_cannot_be_approved_says_why(server: ApiServer, words: tuple[str, str], says: str) -> None:
    Day(server, "early")
    code, out, err = Person(server).call("gameday", "approve", *words)
    assert (code, out, err.count("\n")) == (4, "", 1)
    assert says in err


def test_another_form_of_the_experiment_than_the_one_that_was_read_is_not_approved(server: ApiServer) -> None:
    day, admin = Day(server, "changed"), administrator(server)
    day.hold(hash="0123456789abcdef")
    code, _, err = Person(server).call("gameday", "approve", "changed", "loss", "--hash", "fedcba9876543210")
    assert code == 4
    assert "was changed: its hash is 0123456789abcdef, and not fedcba9876543210" in err
    process = Person(server).start("gameday", "approve", "changed", "loss", "--hash", "0123456789abcdef")
    waiting.until(lambda: day.said() == f"loss/{admin}", "nobody approved", seconds=SECONDS)
    day.approved(admin)
    assert ended(process)[0] == 0


def test_who_may_not_approve_is_told_so(server: ApiServer) -> None:
    Day(server, "forbidden").hold()
    server.kubectl("create", "role", "looks", "-n", "show", "--verb=get", "--resource=gamedays.showstopper.dev")
    server.kubectl("create", "rolebinding", "looks", "-n", "show", "--role=looks", "--user=carol")
    code, _, err = Person(server, server.user("carol")).call("gameday", "approve", "forbidden", "loss")
    assert code == 4
    assert 'User "carol" cannot patch resource "gamedays"' in err


@pytest.mark.parametrize(("verdict", "code"), [("Passed", 0), ("Failed", 1), ("Aborted", 3)])
def test_status_shows_acts_worst_figures_and_the_verdict(server: ApiServer, verdict: str, code: int) -> None:
    day = Day(server, verdict.lower())
    day.judge(verdict, "ActNotPassed")
    exit_code, out, _ = Person(server).call("gameday", "status", day.name)
    assert exit_code == code
    assert out.startswith(f"{verdict} (ActNotPassed)\nso it is\n")
    rows = [line.split() for line in out.splitlines()]
    assert ["kill", "-", "kill-1", "Passed", "91.5%", "6.06s", "7.65s", "ExpectationsMet"] in rows
    assert ["loss", "-", "-", "-", "-", "-", "-"] in rows
    assert ["AudibleRatio", "91.5%", "kill", "1", "of", "1", "acts"] in rows


def test_a_day_without_a_verdict_ends_with_2(server: ApiServer) -> None:
    day = Day(server, "held")
    day.hold()
    code, out, err = Person(server).call("gameday", "status", "held")
    assert code == 2
    assert "No verdict yet (AwaitingApproval)" in out
    assert "until 2026-01-01T01:00:00Z" in out
    assert "waits for approval" in err


def test_a_verdict_on_an_earlier_form_is_none(server: ApiServer) -> None:
    day = Day(server, "changed")
    day.judge("Passed", "AllActsPassed")
    server.kubectl("patch", "gd", "changed", "-n", "show", "--type=merge", '-p={"spec":{"revision":"2"}}')
    code, out, _ = Person(server).call("gameday", "status", "changed")
    assert code == 2
    assert out.startswith("No verdict yet (not observed yet)\n")


@pytest.mark.parametrize("command", ["gameday status", "gameday watch", "report -o json"])
def test_the_verdict_before_the_performance_that_is_asked_for_is_none(server: ApiServer, command: str) -> None:
    day = Day(server, f"before-{command.rsplit(maxsplit=1)[-1]}")
    day.judge("Passed", "AllActsPassed")
    words = [*command.split(), day.name]
    assert Person(server).call(*words)[0] == 0
    server.kubectl("annotate", "gd", day.name, "-n", "show", "showstopper.dev/run-requested=once-more")
    code, out, err = Person(server).call(*words)
    assert code == 2
    assert "Passed" in out, "it is shown as what it is"
    assert f"game day {day.name} has not begun the performance that was asked for after this verdict" in err


def test_watch_tells_what_happens_until_the_verdict(server: ApiServer) -> None:
    day = Day(server, "watched")
    day.hold()
    process = Person(server).start("gameday", "watch", "watched", "-o", "json")
    assert process.stderr is not None
    assert "AwaitingApproval: act 2 of 2, loss, waits for approval" in process.stderr.readline()
    day.judge("Failed", "ActNotPassed")
    code, out, err = ended(process)
    assert code == 1
    assert json.loads(out)["kind"] == "GameDay"
    assert "ActNotPassed: Failed: so it is" in err


def test_a_day_that_is_watched_to_its_end_answers_for_no_performance_that_follows(server: ApiServer) -> None:
    day = Day(server, "watched-twice")
    day.show(conditions.in_progress(Reason.ACT_UNDER_WAY, "act 1 of 2, kill"), act="kill")
    process = Person(server).start("gameday", "watch", day.name)
    assert process.stdout is not None
    process.stdout.readline()
    server.kubectl("-n", "show", "annotate", "gd", day.name, "showstopper.dev/run-requested=again")
    day.judge("Passed", "AllActsPassed")
    code, _, err = ended(process)
    assert code == 2, err
    assert f"game day {day.name} has not begun the performance that was asked for after this verdict" in err


def test_watch_does_not_wait_for_what_will_not_come(server: ApiServer) -> None:
    day = Day(server, "refused")
    day.show(conditions.refused(Reason.WINDOW_PASSED, "write another"))
    code, _, err = Person(server).call("gameday", "watch", "refused")
    assert code == 2
    assert "WindowPassed: write another" in err


def test_without_a_command_it_says_what_there_is(server: ApiServer) -> None:
    code, out, _ = Person(server).call("gameday", "--help")
    assert code == 0
    assert all(word in out for word in ("status", "watch", "approve"))
