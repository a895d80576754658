"""Manifest: the resources in a file. Kinds that the command does not apply are refused, not ignored."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from showstopper.api.schema.base import API_VERSION, NAME_PATTERN, WRITE_A_NAME
from showstopper.cluster.kinds import AUDIO_ROOM, EXPERIMENT, GAME_DAY, Kind
from showstopper.errors import InvalidResource, SettingsError

APPLIED = {kind.name: kind for kind in (AUDIO_ROOM, EXPERIMENT, GAME_DAY)}


class _Loader(yaml.SafeLoader):
    """YAML as kubectl reads it: what looks like a date is a text, as `revision: 2026-12-01` is."""

    yaml_implicit_resolvers = {
        letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


@dataclass(frozen=True, slots=True)
class Manifest:
    """The objects of a file, in order. Exactly one is a GameDay or, where there is none, exactly one an Experiment."""

    objects: tuple[tuple[Kind, dict[str, Any]], ...]

    @property
    def experiment(self) -> dict[str, Any]:
        """The body of the Experiment."""
        return self.of_kind(EXPERIMENT)[0]

    @property
    def game_day(self) -> dict[str, Any] | None:
        """The body of the GameDay. None: the file has an Experiment alone."""
        return next(iter(self.of_kind(GAME_DAY)), None)

    def of_kind(self, wanted: Kind) -> list[dict[str, Any]]:
        """The bodies of all objects of that kind, in order."""
        return [body for kind, body in self.objects if kind is wanted]


def is_file(word: str) -> bool:
    """Whether FILE_OR_NAME is a file: it has a slash or a known suffix, which no name has, or the file exists."""
    if "/" in word or word.endswith((".yaml", ".yml", ".json")):
        return True
    try:
        return Path(word).is_file()
    except OSError:  # no file has so long a name: it is counted in bytes
        return False


def read(path: Path, namespace: str, *, namespace_given: bool) -> Manifest:
    """The manifest in a file. Objects without a namespace get `namespace`.

    Raises:
        SettingsError: the file cannot be read.
        InvalidResource: it is not YAML, or holds anything but rooms and one experiment, or one game day with what it
            refers to.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"cannot read {path}: {reason}") from error
    return parse(text, str(path), namespace, namespace_given=namespace_given)


def parse(text: str, source: str, namespace: str, *, namespace_given: bool) -> Manifest:
    """The manifest in a text. `source` names it in messages."""
    try:
        documents = [document for document in yaml.load_all(text, _Loader) if document is not None]
        json.dumps(documents, allow_nan=False)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise InvalidResource(f"{source} is not YAML that Kubernetes can take: {error}") from error
    objects = tuple(_object(document, source) for document in _flat(documents))
    if (wrong := _not_one(objects)) is not None:
        raise InvalidResource(f"{source} has {wrong}")
    for _, body in objects:
        own = body["metadata"].setdefault("namespace", namespace)
        if namespace_given and own != namespace:
            raise InvalidResource(f"{source}: {_title(body)} has namespace {own}, and --namespace is {namespace}")
    return Manifest(objects)


def _not_one(objects: Iterable[tuple[Kind, dict[str, Any]]]) -> str | None:
    """Why the objects are not one experiment or one game day. None: they are."""
    kinds = [kind for kind, _ in objects]
    days, experiments = kinds.count(GAME_DAY), kinds.count(EXPERIMENT)
    if days == 1 or (not days and experiments == 1):
        return None
    if not days and not experiments:
        return "0 experiments, and one is run at a time: add an Experiment or a GameDay"
    count = f"{days} game days" if days else f"{experiments} experiments"
    return f"{count}, and one is run at a time: kubectl apply it, then showstopper run NAME"


def _flat(documents: list[Any]) -> Iterator[Any]:
    for document in documents:
        is_list = isinstance(document, dict) and document.get("kind") == "List"
        items = document.get("items") if is_list else [document]
        yield from items if isinstance(items, list) else []


def _object(document: Any, source: str) -> tuple[Kind, dict[str, Any]]:
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        raise InvalidResource(f"{source} holds something that is not a Kubernetes object: it has no kind")
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise InvalidResource(f"{source}: an object of kind {document['kind']} has no metadata.name")
    if document["kind"] not in APPLIED:
        raise InvalidResource(
            f"{source} holds {_title(document)}: this command applies only {', '.join(APPLIED)}; "
            "use kubectl apply for the rest"
        )
    if document.get("apiVersion") != API_VERSION:
        raise InvalidResource(
            f"{source}: {_title(document)} has apiVersion {document.get('apiVersion')!r}: write {API_VERSION}"
        )
    if not metadata.get("namespace"):
        metadata.pop("namespace", None)
    for field in metadata.keys() & {"name", "namespace"}:
        # They become parts of an address, in which other characters would mean something else.
        if not isinstance(metadata[field], str) or not re.fullmatch(NAME_PATTERN, metadata[field]):
            raise InvalidResource(f"{source}: {_title(document)}: metadata.{field}: {WRITE_A_NAME}")
    return APPLIED[document["kind"]], document


def _title(body: dict[str, Any]) -> str:
    """Kind and name, which may be of any length."""
    return f"{body['kind']} {body['metadata']['name'][:100]}"
