import pytest

from farthing.cli import text
from farthing.cli.common import csv_text


@pytest.mark.parametrize(
    ("nano", "shown"),
    [
        (None, text.UNKNOWN),
        (0, "$0.00"),
        (1, "$0.0000000010"),
        (1_234_000, "$0.0012"),
        (10_000_000, "$0.01"),
        (1_234_567_890_000, "$1,234.57"),
        (-2_500_000_000, "-$2.50"),
    ],
)
def test_an_unknown_amount_is_never_shown_as_0(nano, shown):
    assert text.dollars(nano) == shown


def test_counts_and_durations():
    assert [text.count(n) for n in (0, 1_234, 12_300_000, 2 * 10**9)] == ["0", "1,234", "12.3M", "2.0B"]
    assert [text.duration(n) for n in (None, 250, 3_500, 1_500_000)] == [text.UNKNOWN, "250 µs", "4 ms", "1.5 s"]
    assert (text.share(1, 3), text.share(0, 0)) == ("33%", text.UNKNOWN)
    assert (text.plural(1, "call"), text.plural(2_000, "call")) == ("1 call", "2,000 calls")


def test_csv_keeps_unknown_apart_from_0_and_defuses_formulas():
    shown = csv_text(["key", "cost"], [{"key": "=1+1", "cost": None}, {"key": 'a,"b"', "cost": 0, "other": 1}])
    assert shown == 'key,cost\n\'=1+1,\n"a,""b""",0'
