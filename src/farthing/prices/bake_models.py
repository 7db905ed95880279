"""LiteLLM's model file as ``capabilities.json``: ``python -m farthing.prices.bake_models FILE VERSION [TARGET]``.

``FILE`` is the ``model_prices_and_context_window_backup.json`` of an installed litellm (MIT), ``VERSION`` litellm's.
Only chat and embedding models of the known providers are taken; ``capabilities.toml`` has the last word.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from farthing.prices.capabilities import FILE, Capabilities, Data, Endpoint, Schema, Thinks

HOUSE = Path(__file__).with_name("capabilities.toml")
SHELVES: Mapping[str, str] = {
    "openai": "openai",
    "anthropic": "anthropic",
    "azure": "azure",
    "azure_ai": "azure",
    "gemini": "google",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "bedrock_mantle": "aws",
    "mistral": "mistral",
    "groq": "groq",
    "deepseek": "deepseek",
    "openrouter": "openrouter",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "xai": "x-ai",
    "cerebras": "cerebras",
}
"""Its name for a provider → the price list's."""
THOROUGH = frozenset({"openai", "anthropic", "google", "mistral", "deepseek", "x-ai", "groq", "cerebras"})
"""Lists where what is not said of a model (tools, images, audio, thinking) is not there."""
TIERED = frozenset({"openai", "anthropic", "google"})
"""Lists where a tier that has no price does not exist."""
ENDPOINTS: Mapping[str, Endpoint] = {
    "/v1/chat/completions": "chat",
    "/v1/responses": "responses",
    "/v1/messages": "messages",
    "/v1/embeddings": "embeddings",
}
AUTOMATIC_MINIMUM = 1024
"""OpenAI caches prefixes from so many tokens on: developers.openai.com/api/docs/guides/prompt-caching."""

Entry = Mapping[str, Any]


def capabilities(shelf: str, name: str, entry: Entry) -> Capabilities:
    """One entry of the file."""
    if entry["mode"] == "embedding":
        return Capabilities(
            context=_size(entry, "max_input_tokens"), apis=("embeddings",), streaming=False, tools=False
        )
    tools = _flag(entry, "supports_function_calling", shelf)
    return Capabilities(
        context=_size(entry, "max_input_tokens"),
        max_output=_size(entry, "max_output_tokens"),
        tools=tools,
        parallel_tools=entry.get("supports_parallel_function_calling"),
        images=_flag(entry, "supports_vision", shelf),
        documents=entry.get("supports_pdf_input"),
        audio=_flag(entry, "supports_audio_input", shelf),
        json_schema=_schema(shelf, name, entry, tools),
        json_object=False if "claude" in name else True if shelf in THOROUGH else None,
        thinking=_thinking(shelf, name, entry),
        sampling=_sampling(shelf, entry),
        cache_minimum=_cache_minimum(shelf, entry),
        batch=_tier(shelf, entry, "_batches") or "/v1/batch" in entry.get("supported_endpoints", ()) or None,
        flex=_tier(shelf, entry, "_flex"),
        priority=_tier(shelf, entry, "_priority"),
        streaming=entry.get("supports_native_streaming", True),
        apis=_apis(shelf, entry),
    )


def _size(entry: Entry, key: str) -> int | None:
    value = entry.get(key)
    return int(value) if isinstance(value, int | float) and value > 0 else None


def _flag(entry: Entry, key: str, shelf: str) -> bool | None:
    return entry.get(key, False if shelf in THOROUGH else None)


def _schema(shelf: str, name: str, entry: Entry, tools: bool | None) -> Schema | None:
    if "claude" in name:
        return "native" if entry.get("supports_native_structured_output") else "tool" if tools else None
    if entry.get("supports_response_schema"):
        return "native"
    return None if shelf not in THOROUGH else "tool" if tools else "none"


def _thinking(shelf: str, name: str, entry: Entry) -> Thinks | None:
    thinks = _flag(entry, "supports_reasoning", shelf)
    if not thinks:
        return None if thinks is None else "none"
    if "claude" in name:
        return "adaptive" if entry.get("supports_adaptive_thinking") else "budget"
    return "effort"


def _sampling(shelf: str, entry: Entry) -> bool | None:
    """OpenAI's models that think refuse a temperature."""
    thinks = shelf in {"openai", "azure"} and entry.get("supports_reasoning")
    return entry.get("supports_sampling_params", False if thinks else None)


def _cache_minimum(shelf: str, entry: Entry) -> int | None:
    automatic = AUTOMATIC_MINIMUM if shelf in {"openai", "azure"} and entry.get("supports_prompt_caching") else None
    return _size(entry, "prompt_cache_min_tokens") or automatic


def _tier(shelf: str, entry: Entry, ending: str) -> bool | None:
    return any(key.endswith(ending) for key in entry) or (False if shelf in TIERED else None)


def _apis(shelf: str, entry: Entry) -> tuple[Endpoint, ...] | None:
    if entry["mode"] == "responses":
        return ("responses",)
    if shelf == "anthropic":
        return ("messages",)
    if shelf != "openai":
        return None
    said: tuple[Endpoint, ...] = tuple(
        ENDPOINTS[one] for one in entry.get("supported_endpoints", ()) if one in ENDPOINTS
    )
    return said or ("chat", "responses")


def entries(found: Mapping[str, Entry]) -> Iterator[tuple[str, str, Entry]]:
    """Provider, model and entry of what is taken; of several spellings the first."""
    for key, entry in found.items():
        shelf = SHELVES.get(str(entry.get("litellm_provider")))
        if shelf is None or entry.get("mode") not in {"chat", "responses", "embedding"}:
            continue
        first, slash, rest = key.partition("/")
        name = rest if slash and SHELVES.get(first) == shelf else key
        if shelf in {"aws", "azure"} and "/" in name:  # the same again, at the prices of a region
            continue
        if not name.startswith("ft:") and not re.search(r"\bimage\b|realtime|\baudio-preview\b", name):
            yield shelf, name.lower(), entry


def bake(found: Mapping[str, Entry], source: str) -> Data:
    """The data for the package."""
    known: dict[tuple[str, str], Capabilities] = {}
    for shelf, name, entry in entries(found):
        known.setdefault((shelf, name), capabilities(shelf, name, entry))
    house: dict[str, list[str]] = {}
    for table in tomllib.loads(HOUSE.read_text(encoding="utf-8"))["model"]:
        shelf, names = table.pop("provider"), table.pop("names")
        house.setdefault(shelf, []).extend(names)
        for name in names:
            usual = msgspec.to_builtins(known.get((shelf, name), Capabilities()))
            known[shelf, name] = msgspec.convert(usual | table, Capabilities)
    kinds = {one: place for place, one in enumerate(dict.fromkeys(known.values()))}
    shelves: dict[str, dict[str, int]] = {}
    for (shelf, name), one in sorted(known.items(), key=lambda item: item[0]):
        shelves.setdefault(shelf, {})[name] = kinds[one]
    return Data(source, tuple(kinds), shelves, house)


def text(data: Data) -> str:
    """As JSON, a kind and a list a line."""

    def line(value: object) -> str:
        return msgspec.json.encode(value).decode()

    kinds = ",\n".join(map(line, data.kinds))
    shelves = ",\n".join(f"{line(name)}:{line(models)}" for name, models in data.shelves.items())
    return (
        f'{{"source":{line(data.source)},"house":{line(data.house)},\n'
        f'"kinds":[\n{kinds}\n],\n"shelves":{{\n{shelves}\n}}}}\n'
    )


def main(arguments: list[str]) -> None:
    file, version, *rest = arguments
    target = Path(rest[0]) if rest else FILE
    found = cast("Mapping[str, Entry]", json.loads(Path(file).read_text(encoding="utf-8")))
    target.write_text(text(bake(found, f"litellm {version}")), encoding="utf-8")
    sys.stdout.write(f"wrote {target}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
