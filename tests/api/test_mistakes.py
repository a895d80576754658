"""Mistakes are refused with a message that says what to write: by the API server, and by the models."""

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api.generated.crds import KINDS
from showstopper.errors import InvalidResource
from tests.api.build import experiment, game_day, gate, room, run
from tests.api.mistakes import MISTAKES, Mistake
from tests.support.api_server import apply, refusal

MODELS = {kind.kind: kind for kind in KINDS}
each = pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)


@pytest.mark.apiserver
@each
def test_the_api_server_refuses_it_and_says_what_to_write(server: ApiServer, mistake: Mistake) -> None:
    said = refusal(server, mistake.body)
    assert mistake.field in said
    assert mistake.says in said
    assert ": [" not in said.partition("is invalid")[2], "one mistake gives one problem, not a list of them"


@each
def test_the_models_refuse_it_too(mistake: Mistake) -> None:
    with pytest.raises(InvalidResource) as refused:
        MODELS[mistake.body["kind"]].parse(mistake.body)
    assert f"{mistake.body['kind']} show/{mistake.body['metadata']['name']}: {mistake.place}" in str(refused.value)
    assert (mistake.model_says or mistake.says) in str(refused.value)
    assert "; " not in str(refused.value)


@pytest.mark.apiserver
@pytest.mark.parametrize("body", [experiment(), room(), run(), game_day(), gate()], ids=lambda body: body["kind"])
def test_the_same_objects_without_the_mistake_are_taken(server: ApiServer, body: dict[str, object]) -> None:
    apply(server, body, "--dry-run=server")
    MODELS[str(body["kind"])].parse(body)


@pytest.mark.parametrize("kind", ["Experiment", "AudioRoom", "GameDay"])
def test_all_kinds_that_people_write_have_mistakes_to_show(kind: str) -> None:
    assert [mistake for mistake in MISTAKES if mistake.body["kind"] == kind]
