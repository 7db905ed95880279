"""LangChain's cache kept by farthing: the second answer costs nothing, and the ledger says what it would have cost.

The argument is a provider's address here: no gateway is needed. `farthing report` shows what came of it.
"""

import os
import sys

from langchain_core.globals import set_llm_cache
from langchain_openai import ChatOpenAI

import farthing
from farthing.langchain import FarthingCache, FarthingCallbackHandler

BASE = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PROVIDER_URL", "https://api.openai.com")

set_llm_cache(FarthingCache())
model = ChatOpenAI(model="gpt-4o-mini", base_url=f"{BASE}/v1", api_key=os.environ.get("OPENAI_API_KEY", "sk-any"))
for user in ("ada", "bob"):
    handler = FarthingCallbackHandler(user=user, feature="support")
    print(model.invoke("How do I top up my card?", config={"callbacks": [handler]}).content)
farthing.flush()
