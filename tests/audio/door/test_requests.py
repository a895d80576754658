"""Requests for a token: what may be asked for, and what is said to all else."""

from typing import Any

import pytest

from showstopper.audio.door.requests import BadRequest, read
from showstopper.audio.tokens import Participant

WHOLE = {
    "room_name": "stage",
    "participant_identity": "ann",
    "participant_name": "Ann",
    "participant_metadata": "{}",
    "participant_attributes": {"seat": "7"},
}


def test_all_that_the_sdks_send_about_a_person_is_taken() -> None:
    assert read(WHOLE, ["stage"]) == ("stage", Participant("ann", "Ann", "{}", {"seat": "7"}))


def test_what_is_left_out_is_filled_in() -> None:
    room, participant = read({}, ["stage"])
    assert room == "stage"
    assert participant.identity.startswith("listener-")
    assert read({"participant_identity": None}, ["stage"])[1].identity != participant.identity


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "send a JSON object"),
        ({"room_config": {}}, "room_config cannot be chosen here"),
        ({"room_name": 7}, "room_name is a text"),
        ({"participant_identity": "x" * 257}, "participant_identity is a text of 256 characters"),
        ({"participant_attributes": {"seat": 7}}, "participant_attributes has 64 texts"),
        ({"participant_attributes": "seat"}, "participant_attributes has 64 texts"),
    ],
    ids=str,
)
def test_whatever_else_is_asked_for_is_refused_with_what_to_send(document: Any, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        read(document, ["stage"])


def test_of_several_rooms_one_has_to_be_named() -> None:
    with pytest.raises(BadRequest, match="send room_name"):
        read({}, ["stage", "second"])
