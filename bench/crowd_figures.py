"""The figures of build/bench/crowd.json, from what the processes of bench/crowd.py say. Pure."""

from __future__ import annotations

from typing import Any

from bench import report
from bench.relay_record import Compared
from bench.report import Figure


def of_crowd(crowd: dict[str, Any], compared: Compared) -> dict[str, Figure]:
    """Of a crowd that listens, and its joins."""
    return {
        "listeners": crowd["listeners"],
        "hearing": crowd["hearing"],
        "seconds": round(crowd["seconds"], 1),
        "cpu_percent": round(crowd["cpu_percent"], 2),
        "cpu_percent_per_listener": round(each(crowd), 4),
        "listeners_in_the_relay_s_record": compared.recorded,
        "listeners_missed_packets": compared.missed,
        "packets_missed": compared.packets_missed,
        "listeners_with_gaps": crowd["listeners_with_gaps"],
        "packets_lost": crowd["packets_lost"],
        "packets_lost_by_all": crowd["packets_lost_by_all"],
        "kernel_drops": crowd["kernel_drops"],
        "packets_per_second": round(crowd["packets_per_second"]),
        "pauses": crowd["pauses"],
        "latest_sweep_ms": round(crowd["latest_sweep_ms"], 1),
        f"rss_mb_{crowd['listeners']}": round(crowd["rss_mb"], 1),
        "own_ms_per_join_in_the_crowd": round(crowd["own_ms_per_join"], 2),
        "refused_at_first": crowd["refused_at_first"],
        "why_refused": crowd["why"],
    }


def with_ears(crowd: dict[str, Any]) -> dict[str, Figure]:
    """Of a crowd of which it is also told what it hears."""
    return {
        "cpu_percent_with_ears": round(crowd["cpu_percent"], 2),
        "rss_mb_with_ears": round(crowd["rss_mb"], 1),
        "live_percent_with_ears": round(crowd["live_percent"], 2),
        "kernel_drops_with_ears": crowd["kernel_drops"],
        "unopened_with_ears": crowd["unopened"],
        "doubts_with_ears": crowd["doubts"],
    }


def beside(crowd: dict[str, Any], sdk_percent: float, aiortc: dict[str, Any] | None) -> dict[str, Figure]:
    """Of a listener of the crowd beside one of the SDK, which decodes, and one of aiortc, which does not."""
    figures: dict[str, Figure] = {
        "cpu_percent_per_sdk_listener": round(sdk_percent, 2),
        "ratio_to_sdk": round(sdk_percent / each(crowd), 1),
        "ratio_to_aiortc": None,
    }
    if aiortc is not None:
        figures["cpu_percent_per_aiortc_listener"] = round(aiortc["cpu_percent_each"], 3)
        figures["packets_per_second_of_aiortc"] = round(aiortc["packets_per_second_each"], 1)
        figures["own_ms_per_join_of_aiortc"] = round(aiortc["own_ms_per_join"], 1)
        figures["ratio_to_aiortc"] = round(aiortc["cpu_percent_each"] / each(crowd), 1)
    return figures


def of_storm(kind: str, storm: dict[str, Any]) -> dict[str, Figure]:
    """Of a storm, visible or hidden: who got in, and why the others did not."""
    first = storm["first_packet"] or {"p50": None, "p95": None, "longest": None}
    figures: dict[str, Figure] = {
        "visitors": storm["visitors"],
        "in": storm["let_in"],
        "heard": storm["heard"],
        "lost": sum(storm["lost"].values()),
        "unknown": storm["unknown"],
        "as_asked": storm["is_as_asked"],
        "why_not": ", ".join(f"{count} {reason}" for reason, count in storm["refused"].items()) or None,
        "messages": "; ".join(f"{count} of {message!r}" for message, count in storm["messages"].items()) or None,
        "seconds": round(storm["seconds"], 1),
        "own_ms_per_join": round(storm["own_ms_per_join"], 2),
        "own_busy_percent": round(storm["own_busy_percent"]),
    }
    figures |= {f"first_packet_{name}_ms": report.milliseconds(first[name]) for name in ("p50", "p95", "longest")}
    return {f"storm_{kind}_{name}": figure for name, figure in figures.items()}


def of_stamps(stamps: dict[str, Any]) -> dict[str, Figure]:
    """Of sockets that a plain sender feeds."""
    return {
        "synthetic_sockets": stamps["sockets"],
        "synthetic_sent": stamps["sent"],
        "synthetic_received": stamps["received"],
        "synthetic_drops": stamps["drops"],
        "synthetic_cpu_percent": round(stamps["cpu_percent"], 1),
        "stamp_error_p50_ms": stamps["stamp_error_p50_ms"],
        "stamp_error_p999_ms": stamps["stamp_error_p999_ms"],
    }


def each(crowd: dict[str, Any]) -> float:
    """Percent of a core that a listener of the crowd takes."""
    return float(crowd["cpu_percent"] / crowd["listeners"])
