"""For apps on LiteLLM: the spend of every call, and deployments that can take the request.

    litellm.callbacks = [FarthingLogger(), FarthingFilter()]

Needs ``farthing[litellm]``. LiteLLM reads its own list of prices from a file and not from the network: prices are ours.
"""

from __future__ import annotations

import os

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or importing it would ask the network

try:
    from farthing.litellm.filter import FarthingFilter, fallbacks
    from farthing.litellm.logger import FarthingLogger
except ModuleNotFoundError as problem:
    if (problem.name or "").partition(".")[0] != "litellm":
        raise
    raise ImportError("farthing.litellm needs LiteLLM: pip install 'farthing[litellm]'") from problem

__all__ = ["FarthingFilter", "FarthingLogger", "fallbacks"]
