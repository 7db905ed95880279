"""farthing's policy in LiteLLM's router: deployments that cannot take a request are left out, others take over.

The argument is a provider's address.
"""

import asyncio
import os
import sys

from farthing.litellm import FarthingFilter, FarthingLogger, fallbacks
from farthing.policy import Policy
from farthing.policy.model import Model

import litellm  # isort: skip - after farthing.litellm, which keeps it off the network

BASE = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PROVIDER_URL", "https://api.openai.com")
# What would stand in farthing.toml.
POLICY = Policy(models={"gpt-4o": Model(tools=False)}, fallback={"support": ("spare",)})
NOTHING = {"type": "object", "properties": {}}
TOOL = {"type": "function", "function": {"name": "balance", "description": "The balance", "parameters": NOTHING}}


async def main() -> None:
    litellm.callbacks = [FarthingLogger(), FarthingFilter(config=POLICY)]
    where = {"api_base": f"{BASE}/v1", "api_key": os.environ.get("OPENAI_API_KEY", "sk-any")}
    models = (("support", "gpt-4o"), ("support", "gpt-4o-mini"), ("spare", "gpt-4.1"))
    router = litellm.Router(
        model_list=[
            {"model_name": name, "litellm_params": {"model": f"openai/{model}", **where}} for name, model in models
        ],
        fallbacks=fallbacks([name for name, _ in models], config=POLICY),
    )
    question = [{"role": "user", "content": "How much money is on my card?"}]
    reply = await router.acompletion("support", messages=question, tools=[TOOL])
    print("answered by", reply.model)


asyncio.run(main())  # what has not been told by now is told when the interpreter ends
