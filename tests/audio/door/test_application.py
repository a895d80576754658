"""The door over HTTP: tokens as LiveKit's client SDKs expect them, the public count, and what LiveKit tells it."""

import base64
import hashlib
import json
import time

import pytest
from livekit import api

from showstopper.audio.door.desk import Miscounting, Unavailable
from showstopper.audio.door.skewing import Skew
from tests.audio.door.build import KEY, SECRET, made, opened
from tests.audio.door.test_counts import room

JOINED = {
    "event": "participant_joined",
    "id": "EV_1",
    "createdAt": "1790000000",
    "room": {"name": "stage", "sid": "RM_a", "creationTime": "1", "numParticipants": 1},
    "participant": {"identity": "ann", "permission": {"canSubscribe": True}},
}
"""What LiveKit tells, in the JSON of its protocol."""

ANN = {"room_name": "stage", "participant_identity": "ann"}


def signed(body: str, secret: str = SECRET) -> str:
    """The header with which LiveKit signs what it tells."""
    digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    return str(api.AccessToken(KEY, secret).with_sha256(digest).to_jwt())


async def test_a_token_lets_a_listener_into_that_room_and_nothing_else() -> None:
    async with opened(made()) as http:
        answer = await http.post("/token", json=ANN | {"participant_name": "Ann"})
        said = await answer.json()
    assert answer.status == 201
    assert answer.content_type == "application/json"
    assert said.keys() == {"server_url", "participant_token"}
    assert said["server_url"] == "ws://relay:7880"
    claims = api.TokenVerifier(KEY, SECRET).verify(said["participant_token"])
    assert (claims.identity, claims.name) == ("ann", "Ann")
    assert claims.video is not None
    assert (claims.video.room, claims.video.room_join) == ("stage", True)
    assert (claims.video.can_publish, claims.video.can_subscribe) == (False, True)
    assert not claims.video.room_admin


async def test_what_cannot_be_given_is_refused_with_what_to_send() -> None:
    async with opened(made()) as http:
        for document, status, says in (
            ({"room_config": {}}, 400, "room_config cannot be chosen here"),
            ({"room_name": "elsewhere"}, 404, "not available"),
        ):
            answer = await http.post("/token", json=document)
            assert answer.status == status
            assert says in (await answer.json())["error"]
        assert (await http.post("/token", data=b"{")).status == 400
        assert (await http.post("/token", data=b"\xff")).status == 400


async def test_a_page_of_any_origin_may_ask() -> None:
    async with opened(made()) as http:
        before = await http.options("/token")
        answer = await http.post("/token", json=ANN)
    assert before.status == 204
    for each in (before, answer):
        assert each.headers["Access-Control-Allow-Origin"] == "*"


async def test_who_asks_too_often_is_told_when_to_come_back_and_probes_are_not_counted() -> None:
    async with opened(made(burst=2)) as http:
        for _ in range(5):
            assert (await http.get("/healthz")).status == 200
        assert [(await http.post("/token", json=ANN)).status for _ in range(3)] == [201, 201, 429]
        answer = await http.get("/rooms/stage")
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) >= 1


async def test_a_room_that_is_not_available_answers_503_to_those_who_ask_for_a_token() -> None:
    door = made()
    door.counts.polled([room(people=6)], 100.0)
    door.desk.unavailable = Unavailable(1.0, 0.0, time.monotonic() + 60)
    async with opened(door) as http:
        answer = await http.post("/token", json=ANN)
        assert answer.status == 503
        assert (await answer.json())["error"] == "this room is not available"
        assert (await http.get("/rooms/stage")).status == 200


async def test_the_count_is_shown_once_there_is_one() -> None:
    door = made()
    async with opened(door) as http:
        assert (await http.get("/rooms/stage")).status == 503
        assert (await http.get("/rooms/elsewhere")).status == 404
        door.counts.polled([room(people=7, speakers=1)], 100.0)
        answer = await http.get("/rooms/stage")
        assert await answer.json() == {
            "name": "stage",
            "listeners": {"now": 6, "peak": 6, "cumulative": 6},
            "measuredAt": 100.0,
        }


async def test_a_wrong_count_is_shown_while_it_lasts() -> None:
    door = made()
    door.counts.polled([room(people=6)], 100.0)
    door.desk.miscounting = Miscounting(Skew.MULTIPLIED, 700, time.monotonic() + 60)
    async with opened(door) as http:
        assert (await (await http.get("/rooms/stage")).json())["listeners"]["now"] == 4200
        door.desk.miscounting = None
        assert (await (await http.get("/rooms/stage")).json())["listeners"]["now"] == 6


@pytest.mark.parametrize(("secret", "status", "joins"), [(SECRET, 200, 1), ("x" * 36, 401, 0)])
async def test_livekit_is_believed_by_its_signature_alone(secret: str, status: int, joins: int) -> None:
    door = made()
    body = json.dumps(JOINED)
    async with opened(door) as http:
        answer = await http.post("/webhooks/livekit", data=body, headers={"Authorization": signed(body, secret)})
        assert answer.status == status
        assert (await http.post("/webhooks/livekit", data=body)).status == 401
        other = {"Authorization": signed("{}")}
        assert (await http.post("/webhooks/livekit", data=body, headers=other)).status == 401
    assert sum(tally.joins for tally in door.counts.tallies.values()) == joins


async def test_replicas_are_told_what_was_counted() -> None:
    first, second = made(), made()
    first.counts.polled([room(people=5)], 100.0)
    async with opened(first) as http:
        second.counts.merge(await (await http.get("/v1/tallies")).json())
    assert second.counts.tallies == first.counts.tallies


async def test_a_door_that_is_about_to_end_is_sent_nobody_and_still_answers() -> None:
    door = made()
    async with opened(door) as http:
        assert (await http.get("/readyz")).status == 200
        door.desk.draining = True
        assert (await http.get("/readyz")).status == 503
        assert (await http.get("/healthz")).status == 200
        assert (await http.post("/token", json=ANN)).status == 201
