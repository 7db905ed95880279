from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.dashboard import guard

ALLOWED = guard.allowed_names(["Farthing.example", "::1", "10.0.0.5"])


def refusal(*headers):
    return guard.refusal([(name.encode(), value.encode("latin-1")) for name, value in headers], ALLOWED)


@pytest.mark.parametrize(
    "host", ["localhost:8321", "127.0.0.1", "[::1]:8321", "farthing.example", "FARTHING.EXAMPLE:443", "10.0.0.5:80"]
)
def test_own_names_are_answered(host):
    assert refusal(("host", host)) is None
    assert refusal(("host", host), ("origin", f"http://{host}")) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:8321",
        "127.0.0.1.nip.io",
        "localhost@evil.example",
        "localhost:8321:1",
        "localhost/evil",
        "127.0.0.1, evil.example",
        "",
        "::1",
        "[::1",
        "\N{SMALL ROMAN NUMERAL FIFTY}ocalhost".encode().decode("latin-1"),
    ],
)
def test_other_names_are_refused_with_a_reason(host):
    reason = refusal(("host", host))
    assert reason is not None
    assert repr(host) in reason
    assert "localhost" in reason


def test_host_must_be_there_once():
    assert "exactly one" in (refusal() or "")
    assert "exactly one" in (refusal(("host", "localhost"), ("host", "evil.example")) or "")


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://evil.example",
        "http://localhost:3000",
        "http://localhost",
        "http://127.0.0.1:8321",
        "file://",
        "http://localhost:8321.evil.example",
        "http://evil.example?localhost:8321",
    ],
)
def test_other_origins_are_refused_with_a_reason(origin):
    reason = refusal(("host", "localhost:8321"), ("origin", origin))
    assert reason is not None
    assert repr(origin) in reason


def test_every_origin_header_counts():
    assert refusal(("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://evil.example"))


@given(st.text())
def test_any_text_as_host_is_judged_not_crashed_on(host):
    name = guard.host_name(host)
    assert name is None or name == name.lower()
