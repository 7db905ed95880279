import pytest

from farthing.litellm import FarthingFilter, fallbacks
from farthing.litellm.filter import is_able
from farthing.policy import Policy
from farthing.policy.model import Model, Tiers

import litellm  # isort: skip - after farthing.litellm, which tells it to stay off the network

POLICY = Policy(
    models={"gpt-4o": Model(tools=False)}, fallback={"any*": ("b", "c")}, tiers=Tiers(simple=("a", "b", "d"))
)
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
QUESTION = [{"role": "user", "content": "How?"}]


@pytest.fixture
def router(sim):
    litellm.callbacks = [FarthingFilter(config=POLICY)]
    models = (("any", "gpt-4o"), ("any", "gpt-4o-mini"), ("b", "gpt-4o"))
    common = {"api_base": sim.openai_url, "api_key": "sk-sim", "max_retries": 0}
    made = litellm.Router(
        model_list=[
            {"model_name": name, "litellm_params": {"model": f"openai/{model}"} | common} for name, model in models
        ],
        num_retries=0,
        fallbacks=fallbacks(["any", "b"], config=POLICY),
    )
    yield made
    litellm.callbacks = []


async def test_a_request_goes_to_no_deployment_that_cannot_take_it(sim, router):
    for _ in range(8):
        await router.acompletion("any", messages=QUESTION, tools=[TOOL])
    assert {line.model for line in sim.invoice.lines} == {"gpt-4o-mini-2024-07-18"}


async def test_if_none_could_the_provider_decides(router):
    reply = await router.acompletion("b", messages=QUESTION, tools=[TOOL])
    assert reply.model.startswith("gpt-4o-2024")


async def test_who_takes_over(sim, router):
    from farthing.simulator import Control, Faults

    sim.control(Control(faults={"gpt-4o-mini": Faults(p_error=1.0)}))
    reply = await router.acompletion("any", messages=QUESTION, tools=[TOOL])
    assert reply.model.startswith("gpt-4o-2024")


def test_chains_for_litellm():
    assert fallbacks(["any", "b", "c", "x"], config=POLICY) == [{"any": ["b", "c"]}]
    assert fallbacks(["a", "b", "d"], config=POLICY) == [{"a": ["b", "d"]}, {"b": ["d", "a"]}, {"d": ["a", "b"]}]


@pytest.mark.parametrize(
    ("traits", "request_", "able"),
    [
        (Model(), {"tools": [TOOL]}, True),
        (Model(tools=False), {"tools": [TOOL]}, False),
        (Model(tools=False), {"tools": []}, True),
        (Model(json_schema="none"), {"response_format": {"type": "json_schema"}}, False),
        (Model(json_schema=False), {"response_format": {"type": "json_object"}}, True),
    ],
)
def test_what_a_model_can_take(traits, request_, able):
    assert is_able(traits, request_, QUESTION) is able


def test_pictures():
    picture = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]
    assert not is_able(Model(images=False), {}, picture)
    assert is_able(Model(images=False), {}, QUESTION)
