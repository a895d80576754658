"""Process faults as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from showstopper.api.faults.process import CpuThrottle


@given(st.integers(0, 70_000))
def test_a_cpu_limit_is_50m_to_64_cores_however_it_is_written(millicores: int) -> None:
    cores = f"{millicores // 1000}.{millicores % 1000:03d}"
    texts = [f"{millicores}m", cores] + ([str(millicores // 1000)] if millicores % 1000 == 0 else [])
    for text in texts:
        if 50 <= millicores <= 64_000:
            assert CpuThrottle(limit=text).millicores == millicores
        else:
            with pytest.raises(ValidationError, match="write CPU cores"):
                CpuThrottle(limit=text)


@pytest.mark.parametrize("text", ["", "m", "050m", "0.04", "1e3m", "200M", "200", "-1", "0.5m", "64.1", "1.", " 1"])
def test_other_texts_are_no_cpu_limits(text: str) -> None:
    with pytest.raises(ValidationError, match="write CPU cores"):
        CpuThrottle(limit=text)
