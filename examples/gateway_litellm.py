"""LiteLLM's client behind farthing, with both APIs."""

import os
import sys

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # importing it asks the network for prices otherwise
import litellm

BASE = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FARTHING_URL", "http://127.0.0.1:8321")
QUESTION = [{"role": "user", "content": "How do I top up my card?"}]
WHO = {"x-farthing-user": "ada", "x-farthing-feature": "support"}

for model, base in (("openai/gpt-4o-mini", f"{BASE}/v1"), ("anthropic/claude-haiku-4-5", BASE)):
    reply = litellm.completion(model, messages=QUESTION, api_base=base, api_key="sk-any", extra_headers=WHO)
    print(reply.choices[0].message.content)
