"""The spend of LiteLLM's calls in farthing's ledger. The argument is a provider's address."""

import os
import sys

import farthing
from farthing.litellm import FarthingLogger

import litellm  # isort: skip - after farthing.litellm, which keeps it off the network

BASE = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PROVIDER_URL", "https://api.openai.com")

litellm.callbacks = [FarthingLogger()]
for part in litellm.completion(
    "openai/gpt-4o-mini",
    messages=[{"role": "user", "content": "How do I top up my card?"}],
    api_base=f"{BASE}/v1",
    api_key=os.environ.get("OPENAI_API_KEY", "sk-any"),
    stream=True,
    stream_options={"include_usage": True},  # else the cost is an estimate
    user="ada",
    metadata={"feature": "support"},
):
    print("".join(choice.delta.content or "" for choice in part.choices), end="", flush=True)
print()
farthing.flush()
