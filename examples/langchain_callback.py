"""The spend of LangChain's models in farthing's ledger, streams too. The argument is a provider's address."""

import os
import sys

from langchain_anthropic import ChatAnthropic

import farthing
from farthing.langchain import FarthingCallbackHandler

BASE = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PROVIDER_URL", "https://api.anthropic.com")

model = ChatAnthropic(model="claude-haiku-4-5", base_url=BASE, api_key=os.environ.get("ANTHROPIC_API_KEY", "sk-any"))
handler = FarthingCallbackHandler(user="ada", feature="support")
for chunk in model.stream("How do I top up my card?", config={"callbacks": [handler], "tags": ["beta"]}):
    print(chunk.text, end="", flush=True)
print()
farthing.flush()
