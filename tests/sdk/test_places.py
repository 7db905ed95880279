"""From a URL to a provider and a path."""

from hypothesis import given
from hypothesis import strategies as st

from farthing.pipeline.intake import Home
from farthing.policy import Policy, Provider
from farthing.policy.model import BUILT_IN
from farthing.sdk.engine import Setup
from farthing.sdk.places import Places, base_in, name_of
from farthing.upstream.targets import Choice, Targets

GROQ = Provider("https://api.groq.com/openai/v1", base_urls=("https://eu.groq.com/openai/v1",))
POLICY = Policy(providers={**BUILT_IN, "groq": GROQ})


def places(api, base_url, policy=POLICY):
    return Places(api, base_url, Setup(policy, {}), lambda other: Setup(other, {}))


def test_the_api_s_own_address_leaves_the_choice_to_the_settings():
    assert places("openai", "https://api.openai.com/v1/").first.home == Home("openai", fixed=False)
    assert places("anthropic", "https://api.anthropic.com").first.home == Home("anthropic", fixed=False)


def test_an_address_of_the_settings_is_that_provider():
    for base in (GROQ.base_url, GROQ.base_url + "/", *GROQ.base_urls):
        assert places("openai", base).first.home == Home("groq", fixed=True)


def test_an_address_that_only_another_api_has_is_a_new_one():
    place = places("anthropic", GROQ.base_url).first
    assert place.home == Home("api.groq.com", fixed=True)
    assert place.setup.policy.providers["api.groq.com"] == Provider(GROQ.base_url, "anthropic")


def test_settings_in_which_nobody_speaks_the_api():
    place = places("anthropic", "https://api.anthropic.com", Policy(providers={"groq": GROQ})).first
    assert place.home == Home("api.anthropic.com", fixed=True)


def test_names():
    assert name_of("http://localhost:11434/v1", POLICY) == "localhost:11434"
    assert name_of("https://example.com:443/v1", POLICY) == "example.com"
    taken = Policy(providers={"example.com": GROQ})
    assert name_of("https://example.com/v1", taken) == "example.com (client)"


def test_bases_by_their_looks():
    assert base_in("https://h/a/v1/chat/completions?x=1", "openai") == "https://h/a/v1"
    assert base_in("https://h/a/v1/messages", "anthropic") == "https://h/a"
    assert base_in("https://h/elsewhere", "openai") == "https://h"


SEGMENT = st.text("abcdefgh-._~", min_size=1, max_size=8)


@given(
    api=st.sampled_from(["openai", "anthropic"]),
    base=st.lists(SEGMENT, max_size=2),
    rest=st.lists(SEGMENT, min_size=1, max_size=3),
    query=st.sampled_from(["", "?a=b", "?after=x&limit=2"]),
    known=st.booleans(),
)
def test_what_a_client_asks_for_is_what_is_asked(api, base, rest, query, known):
    """Whatever the base: the address that the pipeline makes of place and path is the one the client had."""
    root = "/".join(["https://example.org", *base])
    url = "/".join([root, *(["v1"] if api == "anthropic" else []), *rest]) + query
    place, path = places(api, root if known else "https://elsewhere.example").find(url)
    assert path.startswith("/v1/")
    assert Targets(place.setup.policy.providers, {}).url(Choice(place.home.provider, None), path) == url
