"""For apps on LangChain: answers that are not paid for twice, and the spend of every model.

    set_llm_cache(FarthingCache())
    model.invoke("…", config={"callbacks": [FarthingCallbackHandler(user="ada", feature="search")]})

Needs ``farthing[langchain]``.
"""

from __future__ import annotations

try:
    from farthing.langchain.cache import FarthingCache
    from farthing.langchain.handler import FarthingCallbackHandler
except ModuleNotFoundError as problem:
    if not (problem.name or "").startswith("langchain_core"):
        raise
    raise ImportError("farthing.langchain needs langchain-core: pip install 'farthing[langchain]'") from problem

__all__ = ["FarthingCache", "FarthingCallbackHandler"]
