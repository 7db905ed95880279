from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.dashboard.when import instant, whole
from farthing.errors import BadRequest

NOW = 1_795_586_400.0


@pytest.mark.parametrize(
    ("written", "at"),
    [
        (None, None),
        ("", None),
        ("7d", NOW - 7 * 86_400),
        ("24h", NOW - 86_400),
        ("1795586400", NOW),
        ("2026-11-25", NOW - 6 * 3_600),
        ("2026-11-25T06:00:00Z", NOW),
        ("2026-11-25T07:00 01:00", NOW),  # what is left of "+01:00" in a query string
    ],
)
def test_times(written, at):
    assert instant("since", written, NOW) == at


@pytest.mark.parametrize(
    "written", ["yesterday", "7x", "2026-13-01", "-1", "' OR 1=1 --", "99999999999999", "1e400", "٣"]
)
def test_a_wrong_time_is_named_with_the_way_out(written):
    with pytest.raises(BadRequest, match=r"since: .* is not a time; write 7d"):
        instant("since", written, NOW)


@given(st.text())
def test_any_text_is_a_time_or_a_bad_request(written):
    try:
        at = instant("since", written, NOW)
    except BadRequest:
        return
    assert at is None or isinstance(at, float)


def test_limits():
    assert whole("limit", None, 50, 100) == 50
    assert whole("limit", "7", 50, 100) == 7
    for wrong in ("0", "101", "-1", "1.5", "1;DROP TABLE requests", "²", "9" * 5_000):
        with pytest.raises(BadRequest, match=r"limit: .* whole number from 1 to 100"):
            whole("limit", wrong, 50, 100)
