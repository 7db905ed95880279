"""LiteLLM's names for providers, and the endpoints of farthing's that they mean. Pure.

From LiteLLM's own provider pages, November 2026: the prefix of a model, where it goes without ``api_base``, and the
variable that LiteLLM takes the key from.
"""

from __future__ import annotations

import msgspec

from farthing.types import Api


class Maker(msgspec.Struct, frozen=True):
    """Where the models of a prefix are."""

    name: str
    """What the provider is called in farthing.toml."""
    key: str | None
    """The variable with its key; ``None``: it takes none."""
    base: str | None
    """``None``: it has to be said."""
    kind: Api = "openai"
    path: str = ""
    """What an ``api_base`` of LiteLLM's lacks at its end."""


MAKERS = {
    "openai": Maker("openai", "OPENAI_API_KEY", "https://api.openai.com/v1"),
    "anthropic": Maker("anthropic", "ANTHROPIC_API_KEY", "https://api.anthropic.com", "anthropic"),
    "azure": Maker("azure", "AZURE_API_KEY", None, path="/openai/v1"),
    "gemini": Maker("gemini", "GEMINI_API_KEY", "https://generativelanguage.googleapis.com/v1beta/openai"),
    "groq": Maker("groq", "GROQ_API_KEY", "https://api.groq.com/openai/v1"),
    "mistral": Maker("mistral", "MISTRAL_API_KEY", "https://api.mistral.ai/v1"),
    "deepseek": Maker("deepseek", "DEEPSEEK_API_KEY", "https://api.deepseek.com/v1"),
    "openrouter": Maker("openrouter", "OPENROUTER_API_KEY", "https://openrouter.ai/api/v1"),
    "together_ai": Maker("together", "TOGETHERAI_API_KEY", "https://api.together.ai/v1"),
    "fireworks_ai": Maker("fireworks", "FIREWORKS_AI_API_KEY", "https://api.fireworks.ai/inference/v1"),
    "xai": Maker("xai", "XAI_API_KEY", "https://api.x.ai/v1"),
    "cerebras": Maker("cerebras", "CEREBRAS_API_KEY", "https://api.cerebras.ai/v1"),
    "perplexity": Maker("perplexity", "PERPLEXITYAI_API_KEY", "https://api.perplexity.ai"),
    "ollama": Maker("ollama", None, "http://127.0.0.1:11434/v1", path="/v1"),
    "ollama_chat": Maker("ollama", None, "http://127.0.0.1:11434/v1", path="/v1"),
    "hosted_vllm": Maker("vllm", "HOSTED_VLLM_API_KEY", None),
    "lm_studio": Maker("lm-studio", "LM_STUDIO_API_KEY", None),
    "openai_like": Maker("openai-like", "OPENAI_LIKE_API_KEY", None),
    "custom_openai": Maker("custom-openai", "OPENAI_API_KEY", None),
    "litellm_proxy": Maker("litellm-proxy", "LITELLM_PROXY_API_KEY", None),
}
"""Prefix → endpoint. Whatever is not here is neither OpenAI- nor Anthropic-compatible, or not known to be."""


def maker_of(model: str) -> tuple[str, Maker | None, str]:
    """Prefix, endpoint and the model's name there. A bare name is Anthropic's if it says so, else OpenAI's."""
    prefix, slash, rest = model.partition("/")
    if not slash:
        prefix, rest = ("anthropic" if model.startswith("claude") else "openai"), model
    return prefix, MAKERS.get(prefix), rest
