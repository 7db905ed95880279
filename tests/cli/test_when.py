from datetime import UTC, datetime

import pytest

from farthing.cli.when import moment, shown
from farthing.errors import ConfigError

NOW = datetime(2026, 11, 25, 4, 30, tzinfo=UTC).timestamp()


def at(*when):
    return datetime(*when, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("today", at(2026, 11, 25)),
        ("Yesterday", at(2026, 11, 24)),
        ("7d", NOW - 7 * 86_400),
        ("24h", NOW - 86_400),
        ("2026-11-20", at(2026, 11, 20)),
        ("2026-11-20T08:15", at(2026, 11, 20, 8, 15)),
        ("2026-11-20T08:15:00+02:00", at(2026, 11, 20, 6, 15)),
        (None, None),
    ],
)
def test_times_as_people_write_them(text, expected):
    assert moment("--since", text, NOW) == expected


@pytest.mark.parametrize("text", ["", "7 days ago", "2026-13-01", "-7d", "d"])
def test_what_is_no_time_is_refused_with_the_ways_out(text):
    with pytest.raises(ConfigError, match=r"--until: .*is not a time; give an ISO date.*7d"):
        moment("--until", text, NOW)


def test_times_are_shown_in_utc():
    assert shown(NOW) == "2026-11-25 04:30:00"
