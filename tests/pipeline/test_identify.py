import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.pipeline.identify import caller_of, named_headers
from farthing.types import Caller, Facts


def caller(*headers: tuple[str, str], facts: Facts | None = None, tenant: str | None = None) -> Caller:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return caller_of(named_headers(raw), facts or Facts(), tenant)


USERS = ["x-farthing-user", "helicone-user-id", "x-litellm-end-user-id", "x-litellm-customer-id"]


@pytest.mark.parametrize("index", range(4))
def test_the_first_user_header_of_the_contract_wins(index):
    headers = [(name, name) for name in reversed(USERS[index:])]
    assert caller(*headers, facts=Facts(user="body")).user == USERS[index]


def test_after_the_headers_comes_portkey_then_the_body():
    portkey = ("x-portkey-metadata", '{"_user": "p", "feature": "f"}')
    assert caller(portkey, facts=Facts(user="b")).user == "p"
    assert caller(portkey, facts=Facts(feature="b")).feature == "f"
    assert caller(facts=Facts(user="b", feature="g")) == Caller(user="b", feature="g")


def test_features_and_sessions_of_peers_are_taken():
    assert caller(("helicone-property-feature", "chat")).feature == "chat"
    assert caller(("x-farthing-feature", "own"), ("helicone-property-feature", "chat")).feature == "own"
    assert caller(("helicone-session-id", "s"), ("x-portkey-trace-id", "t")).session == "s"
    assert caller(("x-portkey-trace-id", "t")).session == "t"


def test_tags_come_from_all_of_them():
    tags = caller(
        ("x-farthing-tags", "env=prod, team = core"), ("helicone-property-env", "dev"), ("helicone-property-app", "x"),
        ("x-litellm-tags", "a,b"),
    ).tags  # fmt: skip
    assert dict(tags) == {"env": "prod", "team": "core", "app": "x", "a": "", "b": ""}


def test_a_key_s_own_tenant_is_the_tenant():
    assert caller(("x-farthing-tenant", "acme")).tenant == "acme"
    assert caller(("x-farthing-tenant", "acme"), tenant="globex").tenant == "globex"
    assert caller().tenant == "default"


@given(st.text(max_size=600))
def test_values_are_trimmed_to_256_characters(text):
    raw = [(b"x-farthing-user", text.encode("utf-8", "surrogatepass"))]
    user = caller_of(named_headers(raw), Facts(), None).user
    assert user is None or (0 < len(user) <= 256 and text.strip().startswith(user[:1]))


def test_metadata_that_is_no_json_is_ignored():
    assert caller(("x-portkey-metadata", "{"), facts=Facts(user="b")).user == "b"
