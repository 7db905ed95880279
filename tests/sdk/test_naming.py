"""Who asks, said around the calls."""

import asyncio
import threading

import openai
import pytest
from tests.gateway.test_clients import CHAT

import farthing
from farthing.sdk.naming import current


def test_the_inner_one_adds_and_overrides():
    assert current() == {}
    with farthing.tags(user="ada", feature="search", team="a"):
        with farthing.tags(user="bob", session="s"):
            assert current() == {
                "x-farthing-user": "bob", "x-farthing-feature": "search", "x-farthing-session": "s",
                "helicone-property-team": "a",
            }  # fmt: skip
        assert current()["x-farthing-user"] == "ada"
    assert current() == {}


def test_one_of_them_again_inside_itself():
    said = farthing.tags(user="ada")
    with said, farthing.tags(user="bob"), said:
        assert current() == {"x-farthing-user": "ada"}
    assert current() == {}


def test_an_exception_ends_it():
    with pytest.raises(ZeroDivisionError), farthing.tags(user="ada"):
        _ = 1 / 0
    assert current() == {}


def test_what_is_no_text_becomes_one_and_none_is_as_outside():
    with farthing.tags(user=7), farthing.tags(user=None):  # type: ignore[arg-type]
        assert current() == {"x-farthing-user": "7"}


async def test_tasks_have_those_they_were_started_with():
    said = farthing.tags(user="ada")

    async def look(name):
        with farthing.tags(session=name), said:
            await asyncio.sleep(0)
            return current()["x-farthing-session"]

    with farthing.tags(feature="f"):
        assert await asyncio.gather(*(look(name) for name in "abc")) == ["a", "b", "c"]


def test_a_thread_starts_without():
    seen = []
    with farthing.tags(user="ada"):
        thread = threading.Thread(target=lambda: seen.append(current()))
        thread.start()
        thread.join()
    assert seen == [{}]


def test_in_the_ledger(app):
    client = app.wrap(openai.OpenAI)
    with farthing.tags(user="ada ✓", feature="search", session="s1", tenant="acme", team="a,b=c", empty=""):
        client.chat.completions.create(**CHAT)
        client.chat.completions.create(**CHAT, user="body", extra_headers={"x-farthing-feature": "call"})
    client.chat.completions.create(**CHAT, user="body")
    first, second, third = (row.caller for row in app.rows)
    assert (first.user, first.feature, first.session, first.tenant) == ("ada ✓", "search", "s1", "acme")
    assert dict(first.tags) == {"team": "a,b=c", "empty": ""}
    assert (second.user, second.feature) == ("ada ✓", "call")
    assert (third.user, third.feature, third.tenant) == ("body", None, "default")
