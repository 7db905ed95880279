from farthing.upstream.credentials import outgoing, presented, returned


def test_the_credential_of_either_api():
    assert presented([(b"authorization", b"Bearer sk-1")]) == "sk-1"
    assert presented([(b"x-api-key", b"sk-ant")]) == "sk-ant"
    assert presented([(b"authorization", b"bearer oauth"), (b"x-api-key", b"sk-ant")]) == "sk-ant"
    assert presented([(b"authorization", b"Basic abc")]) is None
    assert presented([]) is None


def test_farthing_s_own_headers_never_reach_a_provider():
    sent = outgoing(
        [(b"x-farthing-user", b"u"), (b"x-farthing-tenant", b"t"), (b"host", b"h"), (b"x-custom", b"1"), (b"te", b"x")],
        "openai",
        None,
    )
    assert sent == [(b"x-custom", b"1"), (b"accept-encoding", b"identity")]


def test_a_client_s_own_key_goes_through_and_a_virtual_one_is_replaced():
    own = [(b"authorization", b"Bearer sk-own")]
    assert (b"authorization", b"Bearer sk-own") in outgoing(own, "openai", None)
    replaced = outgoing([(b"authorization", b"Bearer fk-1"), (b"x-api-key", b"fk-1")], "anthropic", "sk-real")
    assert replaced == [(b"x-api-key", b"sk-real"), (b"accept-encoding", b"identity")]


def test_repeated_headers_of_a_reply_stay_and_hop_by_hop_ones_go():
    headers = [(b"set-cookie", b"a"), (b"connection", b"close"), (b"set-cookie", b"b"), (b"content-length", b"3")]
    assert returned(headers) == [(b"set-cookie", b"a"), (b"set-cookie", b"b")]
