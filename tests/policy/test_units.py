import pytest

from farthing.policy.units import seconds, size


def test_durations():
    assert [seconds(text) for text in ("250ms", "90s", "15m", "24h", "7d", "1.5h", " 2 w ")] == [
        0.25, 90, 900, 86_400, 604_800, 5_400, 1_209_600,
    ]  # fmt: skip


def test_sizes():
    assert [size(text) for text in ("10B", "500kB", "64MB", "1GB", "1MiB")] == [10, 500_000, 64_000_000, 10**9, 2**20]


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "7 days", "1e3s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="such as"):
        seconds(text)
