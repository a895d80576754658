"""Process faults as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from showstopper.api.faults.process import CpuStress, CpuThrottle, MemoryStress


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


@pytest.mark.parametrize(("load", "cores"), [(None, 3.0), ("100%", 3.0), ("50%", 1.5), ("2.5%", 0.075)])
def test_workers_want_their_load_each(load: str | None, cores: float) -> None:
    written = {"workers": 3} | ({"load": load} if load else {})
    assert CpuStress.model_validate(written).cores == pytest.approx(cores)


@pytest.mark.parametrize(("text", "mebibytes"), [("1Mi", 1), ("200Mi", 200), ("99999Mi", 99_999), ("2Gi", 2048)])
def test_memory_is_written_in_binary_units(text: str, mebibytes: int) -> None:
    assert MemoryStress(size=text).size_bytes == mebibytes << 20


@pytest.mark.parametrize("text", ["", "0Mi", "01Mi", "1.5Gi", "200M", "200", "100000Mi", "100Gi", "1Ti", " 1Mi"])
def test_other_texts_are_no_memory(text: str) -> None:
    with pytest.raises(ValidationError, match="write memory in quotes"):
        MemoryStress(size=text)
