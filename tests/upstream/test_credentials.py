import pytest

from farthing.upstream.credentials import NO_KEY, outgoing, presented, returned


def test_the_credential_of_either_api():
    assert presented([(b"authorization", b"Bearer sk-1")]) == "sk-1"
    assert presented([(b"x-api-key", b"sk-ant")]) == "sk-ant"
    assert presented([(b"authorization", b"bearer oauth"), (b"x-api-key", b"sk-ant")]) == "sk-ant"
    assert presented([(b"api-key", b"fk-azure"), (b"authorization", b"Bearer x")]) == "fk-azure"
    assert presented([(b"authorization", b"Basic abc")]) is None
    assert presented([]) is None


def test_farthing_s_own_headers_never_reach_a_provider():
    sent = outgoing(
        [(b"x-farthing-user", b"u"), (b"x-farthing-tenant", b"t"), (b"host", b"h"), (b"x-custom", b"1"), (b"te", b"x")],
        "bearer",
        None,
    )
    assert sent == [(b"x-custom", b"1"), (b"accept-encoding", b"identity")]


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ("bearer", (b"authorization", b"Bearer sk-real")),
        ("x-api-key", (b"x-api-key", b"sk-real")),
        ("api-key", (b"api-key", b"sk-real")),
        ("none", None),
    ],
)
def test_every_scheme_sends_the_key_its_way_and_nothing_of_a_virtual_one(auth, header):
    given = [(name, b"fk-1") for name in (b"authorization", b"x-api-key", b"api-key")]
    sent = outgoing([*given, (b"x-custom", b"1")], auth, "sk-real")
    assert sent == [(b"x-custom", b"1"), *([header] if header else []), (b"accept-encoding", b"identity")]


@pytest.mark.parametrize("auth", ["bearer", "x-api-key", "api-key"])
def test_a_client_s_own_key_goes_through_as_it_came(auth):
    own = [(b"authorization", b"Bearer sk-own")]
    assert outgoing(own, auth, None) == [*own, (b"accept-encoding", b"identity")]


@pytest.mark.parametrize("key", [None, NO_KEY])
def test_a_provider_that_takes_no_key_gets_none(key):
    assert outgoing([(b"authorization", b"Bearer sk-own")], "none", key) == [(b"accept-encoding", b"identity")]


def test_repeated_headers_of_a_reply_stay_and_hop_by_hop_ones_go():
    headers = [(b"set-cookie", b"a"), (b"connection", b"close"), (b"set-cookie", b"b"), (b"content-length", b"3")]
    assert returned(headers) == [(b"set-cookie", b"a"), (b"set-cookie", b"b")]
