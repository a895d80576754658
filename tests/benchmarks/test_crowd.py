"""The arithmetic of `make bench-crowd`."""

import numpy as np
import pytest

from bench import crowd, stamps
from tests.audio.crowd.rtp import Packet, batch

OFFSET = 1_800_000_000_000_000_000


@pytest.mark.parametrize("at", [5.0, 4294.967, 12345.678])
def test_the_error_of_a_stamp_is_what_lies_between_sending_and_stamp_also_where_microseconds_wrap(at: float) -> None:
    sent = (round(at * 1e9) + OFFSET) // 1000
    late = [0.0, 0.000_25, -0.001, 0.5]
    packets = [Packet(0, 1, (sent - round(each * 1e6)) % 2**32, 80, at) for each in late]
    assert stamps.errors(batch(packets), OFFSET) == pytest.approx(np.array(late), abs=5e-6)


def test_the_figures_have_a_listener_s_share_and_the_ratio_to_the_sdk() -> None:
    names = (
        "hearing seconds why listeners_missed_packets packets_lost packets_lost_by_all kernel_drops packets_per_second "
        "pauses latest_sweep_ms rss_mb own_ms_per_join refused_at_first"
    )
    heard = dict.fromkeys(names.split(), 1.0) | {"listeners": 1000, "cpu_percent": 12.5}
    names = "sockets sent received drops cpu_percent stamp_error_p50_ms stamp_error_p999_ms"
    figures = crowd.figures(heard, 2.0, dict.fromkeys(names.split(), 1.0))
    assert figures["cpu_percent_per_listener"] == 0.0125
    assert figures["ratio_to_sdk"] == 160.0
    assert figures["rss_mb_1000"] == 1.0
