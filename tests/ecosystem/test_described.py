"""Requests made from the official clients' types, and broken ones, go through a gateway. docs/compatibility.md has more."""

import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from tests.ecosystem.description import CHAT, COUNT, EMBEDDINGS, EVENTS, MESSAGES, REPLIES, RESPONSES, described
from tests.serving import entered, serving

from farthing.simulator import running

GPT, CLAUDE, VECTORS = "gpt-4o", "claude-haiku-4-5", "text-embedding-3-small"
NATIVE = [(CHAT, GPT), (RESPONSES, GPT), (EMBEDDINGS, VECTORS), (MESSAGES, CLAUDE), (COUNT, CLAUDE)]
CROSSED = [(CHAT, CLAUDE), (RESPONSES, CLAUDE), (MESSAGES, GPT), (COUNT, GPT)]
KEY = "sk-sim"
HEADERS = {"authorization": f"Bearer {KEY}", "x-api-key": KEY, "anthropic-version": "2023-06-01"}
DONE = b"[DONE]"
LARGE = 5
"""Examples of a request with everything that the types know, up to two hundred of them: slow to make."""


class House:
    """A gateway in front of the simulator, and who has asked what."""

    def __init__(self, sim, served, folder):
        self.sim, self.folder, self.base = sim, folder, f"http://127.0.0.1:{served.port}"
        self.ids = []

    def ask(self, case):
        """Each on a connection of its own, and streams are read to their end."""
        with requests.Session() as session:
            session.trust_env = False
            asked = case.as_transport_kwargs(base_url=self.base, headers=HEADERS)
            response = session.request(**asked, timeout=60)
        self.ids.append(response.headers["x-farthing-request-id"])
        return response

    def check_books(self):
        rows = [row.request for row in entered(self.folder, len(self.ids))]
        assert sorted(row.id for row in rows) == sorted(self.ids)
        assert sum(row.cost_nano for row in rows) == self.sim.invoice.total_nano_usd


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("described")
    keys = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
    with running(seed=1) as sim, serving(folder, sim.url, "--mode", "save", **keys) as served:
        yield House(sim, served, folder)


def replies(house, way, kind, mode, count):
    """What came of so many requests, each checked against the types of the API spoken."""
    path, model = way
    operation = schemathesis.openapi.from_dict(described(path, model, kind))[path]["POST"]
    found = []

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case):
        response = house.ask(case)
        check_shape(path, response)
        found.append((case, response))

    each()
    house.check_books()
    return found


def check_shape(path, response):
    """A reply is what the official client makes of it; an error is one of the API's, and nobody's fault but ours."""
    if response.status_code != 200:
        assert 400 <= response.status_code < 500, response.text
        body = response.json()
        error = body["error"]
        assert error["message"]
        assert error["type"]
        assert body["type"] == "error" if path in (MESSAGES, COUNT) else {"param", "code"} <= error.keys()
    elif response.headers["content-type"].startswith("text/event-stream"):
        lines = [line[6:] for line in response.content.splitlines() if line.startswith(b"data: ")]
        for line in lines:
            if line != DONE and msgspec.json.decode(line).get("type") != "ping":  # which the client takes out itself
                EVENTS[path].validate_json(line)
        assert lines
    else:
        REPLIES[path].validate_json(response.content)


def lenient(way, body):
    """What only a crossing forgives: null for what is left out, and no ``max_tokens`` for a model that needs none."""
    if way not in CROSSED:
        return False
    holders = [body, *body.get("messages", ())]
    return (way[0] == MESSAGES and "max_tokens" not in body) or any(None in each.values() for each in holders)


@pytest.mark.parametrize("way", NATIVE + CROSSED, ids=" ".join)
def test_what_the_clients_can_say_is_answered(house, way):
    found = replies(house, way, "plain", GenerationMode.POSITIVE, 30)
    answered = [response for _, response in found if response.status_code == 200]
    assert len(answered) > 0.6 * len(found)


@pytest.mark.parametrize("way", NATIVE + CROSSED, ids=" ".join)
def test_what_is_broken_is_refused(house, way):
    for case, response in replies(house, way, "read", GenerationMode.NEGATIVE, 30):
        assert response.status_code != 200 or lenient(way, case.body), case.meta.phase.data


@pytest.mark.parametrize("way", [(CHAT, CLAUDE), (RESPONSES, CLAUDE), (MESSAGES, GPT)], ids=" ".join)
def test_everything_that_the_types_know_gets_a_reply_of_the_api(house, way):
    assert len(replies(house, way, "whole", GenerationMode.POSITIVE, LARGE)) >= LARGE / 2
