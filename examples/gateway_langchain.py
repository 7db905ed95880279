"""LangChain's models behind farthing."""

import os
import sys

from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI

BASE = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FARTHING_URL", "http://127.0.0.1:8321")
WHO = {"x-farthing-user": "ada", "x-farthing-feature": "support"}

models = [
    ChatOpenAI(
        model="gpt-4o-mini",
        base_url=f"{BASE}/v1",
        api_key=os.environ.get("OPENAI_API_KEY", "sk-any"),
        default_headers=WHO,
    ),
    ChatAnthropic(
        model="claude-haiku-4-5",
        base_url=BASE,
        api_key=os.environ.get("ANTHROPIC_API_KEY", "sk-any"),
        default_headers=WHO,
    ),
]
for model in models:
    print(model.invoke("How do I top up my card?").content)
