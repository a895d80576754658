"""The Role of the example for Argo Rollouts, against a real API server: it suffices for the command of the example."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dev.cluster.apiserver import ApiServer
from tests.cli.stand_ins import Operator, Person, ended
from tests.support import api_server

pytestmark = pytest.mark.apiserver
EXAMPLE = Path(__file__).parents[3] / "examples/gitops/argo-rollouts/analysis-template.yaml"


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    """Of its own: the example's names are fixed."""
    with api_server.with_crds() as running:
        yield running


def test_the_analysis_may_do_what_it_does(server: ApiServer) -> None:
    template, *rights = yaml.safe_load_all(EXAMPLE.read_text())
    job = template["spec"]["metrics"][0]["provider"]["job"]["spec"]["template"]["spec"]
    namespace, account = template["metadata"]["namespace"], job["serviceAccountName"]
    _, *command = job["containers"][0]["command"]
    user = ["--as", f"system:serviceaccount:{namespace}:{account}"]
    operator = Operator(server, command[-1])
    operator.apply()
    operator.judge(operator.make_run("before"), "Failed")
    code, _, err = Person(server).call(*user, *command)
    assert (code, "forbidden" in err) == (4, True)
    server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(rights))
    process = Person(server).start(*user, *command)
    operator.await_request()
    operator.judge(operator.make_run("after"), "Passed")
    code, out, err = ended(process)
    assert (code, err) == (0, "")
    assert "run show/after" in out
