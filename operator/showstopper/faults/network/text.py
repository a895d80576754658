"""nftables' own language: the commands of a plan as a person would type them, for previews. Pure."""

from collections.abc import Iterator
from typing import Any

from showstopper.faults.network.rules import Command, Expression

_QUOTED = {"iifname", "oifname"}


def line(command: Command) -> str:
    """An `add` command of a plan, as `nft -f` takes it."""
    ((kind, content),) = command["add"].items()
    if kind == "table":
        return f"add table {content['family']} {content['name']}"
    place = f"{content['family']} {content['table']}"
    match kind:
        case "rule":
            return f"add rule {place} {content['chain']} {' '.join(map(_expression, content['expr']))}"
        case "set":
            return f"add set {place} {content['name']} {{ {_set(content)} }}"
        case "chain" if "hook" in content:
            return f"add chain {place} {content['name']} {{ {_hook(content)} }}"
        case _:
            return f"add {kind} {place} {content['name']}"


def _set(content: dict[str, Any]) -> str:
    elements = f" elements = {_of_set(content['elem'])};" if content.get("elem") else ""
    return f"type {content['type']}; flags {', '.join(content['flags'])};{elements}"


def _hook(content: dict[str, Any]) -> str:
    device = f' device "{content["dev"]}"' if "dev" in content else ""
    return (
        f"type {content['type']} hook {content['hook']}{device} priority {content['prio']}; policy {content['policy']};"
    )


def _expression(expression: Expression) -> str:  # noqa: PLR0911 - one line a kind
    ((kind, content),) = expression.items()
    match kind:
        case "match":
            return " ".join(_match(content))
        case "counter":
            return f'counter name "{content}"'
        case "mangle":
            return f"{_left(content['key'])} set {_set_to(content)}"
        case "dup":
            return f"dup to {_left(content['addr'])}"
        case "fwd":
            return f'fwd to "{content["dev"]}"'
        case "queue":
            return f"queue flags {','.join(content['flags'])} to {content['num']}"
        case "goto":
            return f"goto {content['target']}"
        case _:
            return str(kind)


def _match(content: dict[str, Any]) -> Iterator[str]:
    yield _left(content["left"])
    if content["op"] != "==":
        yield content["op"]
    right = content["right"]
    if isinstance(right, dict):
        names = content["left"].get("meta", {}).get("key") in _QUOTED
        yield _of_set([f'"{name}"' for name in right["set"]] if names else right["set"])
    else:
        yield str(right)


def _set_to(content: dict[str, Any]) -> str:
    """A priority is a traffic class, by the two halves of its number."""
    value: int = content["value"]
    return f"{value >> 16:x}:{value & 0xFFFF:x}" if "meta" in content["key"] else f"{value:#x}"


def _left(key: dict[str, Any]) -> str:
    ((kind, content),) = key.items()
    match kind:
        case "meta":
            return f"meta {content['key']}"
        case "numgen":
            return f"numgen {content['mode']} mod {content['mod']}"
        case _ if "base" in content:
            return f"@{content['base']},{content['offset']},{content['len']}"
        case _:
            return f"{content['protocol']} {content['field']}"


def _of_set(elements: list[Any]) -> str:
    return f"{{ {', '.join(map(_element, elements))} }}"


def _element(element: Any) -> str:
    if not isinstance(element, dict):
        return str(element)
    if "prefix" in element:
        return f"{element['prefix']['addr']}/{element['prefix']['len']}"
    first, last = element["range"]
    return f"{first}-{last}"
