"""What Anthropic demands of a conversation, beyond its shape: who answers whom, what thinking allows. Pure.

Messages are the API's own, as far as they are known.
"""

from __future__ import annotations

import re
from typing import Any, Final

from farthing.simulator.anthropic_blocks import check_block, check_text
from farthing.simulator.call import Json, arr, obj, string
from farthing.simulator.catalog import Model
from farthing.simulator.refusals import invalid
from farthing.simulator.words import words

_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_MESSAGE: Final = words("role content")
_LEAST_BUDGET: Final = 1024
_LEAST_TOP_P: Final = 0.95
_THOUGHTS: Final = ("thinking", "redacted_thinking")


def check_messages(messages: list[Json], model: Model) -> list[list[Json]]:
    """The blocks of every message. Raises ``Refusal``."""
    if not messages:
        raise invalid("messages: at least one message is required")
    contents = [_content(message, at, last=at == len(messages) - 1, model=model) for at, message in enumerate(messages)]
    if messages[0]["role"] != "user":
        raise invalid('messages: first message must use the "user" role')
    _check_calls(contents)
    _check_end(messages[-1], contents[-1])
    return contents


def parts_of(content: Any, what: str) -> list[Json]:  # noqa: ANN401 - any JSON value
    """Content as blocks."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [obj(part, f"{what}.{n}") for n, part in enumerate(arr(content, what))]


def _content(message: Json, at: int, *, last: bool, model: Model) -> list[Json]:
    role, what = message.get("role"), f"messages.{at}.content"
    if role == "system":
        raise invalid(
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not "system" '
            "as an input message role."
        )
    if role not in ("user", "assistant"):
        raise invalid(f"messages.{at}.role: Input should be 'user' or 'assistant'")
    for name in message:
        if name not in _MESSAGE:
            raise invalid(f"messages.{at}.{name}: Extra inputs are not permitted")
    parts = parts_of(message.get("content"), what)
    if not parts and not (last and role == "assistant"):
        text = "all messages must have non-empty content except for the optional final assistant message"
        raise invalid(f"messages.{at}: {text}")
    for n, part in enumerate(parts):
        check_block(part, role, f"{what}.{n}", model)
    return parts


def _check_calls(contents: list[list[Json]]) -> None:
    """Every call is answered in the next message, once, before anything else is said there."""
    pending: list[str] = []
    seen: set[str] = set()
    for at, parts in enumerate(contents):
        answered = [part["tool_use_id"] for part in parts if part["type"] == "tool_result"]
        first = [part["tool_use_id"] for part in _leading(parts)]
        if strange := [key for key in answered if key not in pending]:
            raise invalid(
                f"messages.{at}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: {strange[0]}. "
                "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        if missing := [key for key in pending if key not in first]:
            raise invalid(
                f"messages.{at - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
                "next message."
            )
        if len(set(answered)) < len(answered):
            raise invalid(
                f"messages.{at}: each tool_use must have a single result. Found multiple `tool_result` blocks"
            )
        pending = [part["id"] for part in parts if part["type"] == "tool_use"]
        if len({*pending} - seen) < len(pending):
            raise invalid("messages: `tool_use` ids must be unique")
        seen.update(pending)


def _leading(parts: list[Json]) -> list[Json]:
    """The results that stand before everything else."""
    end = next((n for n, part in enumerate(parts) if part["type"] != "tool_result"), len(parts))
    return parts[:end]


def _check_end(message: Json, parts: list[Json]) -> None:
    end: Json = parts[-1] if parts and message["role"] == "assistant" else {}
    if end.get("type") == "text" and end["text"] != end["text"].rstrip():
        raise invalid("messages: final assistant content cannot end with trailing whitespace")


def check_system(parts: list[Any]) -> None:
    """Raises ``Refusal`` for a system block that is no text, or an empty one."""
    for n, value in enumerate(parts):
        part = obj(value, f"system.{n}")
        if part.get("type") != "text":
            raise invalid(f"system.{n}.type: Input should be 'text'")
        check_text(part, f"system.{n}")


def check_tools(tools: list[Json], body: Json) -> None:
    """Raises ``Refusal`` for a name, a schema or a choice that the API does not take."""
    for at, tool in enumerate(tools):
        if tool.get("type") not in (None, "custom"):
            continue
        if not _TOOL_NAME.fullmatch(string(tool.get("name"), f"tools.{at}.custom.name")):
            raise invalid(f"tools.{at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        if tool.get("input_schema") is None:
            raise invalid(f"tools.{at}.custom.input_schema: Field required")
        if obj(tool["input_schema"], f"tools.{at}.custom.input_schema").get("type") != "object":
            raise invalid(f"tools.{at}.custom.input_schema.type: Input should be 'object'")
    names = [tool.get("name") for tool in tools]
    if len(set(names)) < len(names):
        raise invalid("tools: Tool names must be unique.")
    choice = obj(body.get("tool_choice") or {}, "tool_choice")
    if choice.get("type") in ("any", "auto") and not tools:
        raise invalid("tool_choice may only be specified while providing tools.")


def check_sampling(body: Json) -> None:
    """Raises ``Refusal`` for what lies outside its range."""
    for name in ("temperature", "top_p"):
        value: Any = body.get(name)
        if value is None:
            continue
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise invalid(f"{name}: Input should be a valid number")
        if value < 0:
            raise invalid(f"{name}: Input should be greater than or equal to 0")
        if value > 1:
            raise invalid(f"{name}: Input should be less than or equal to 1")
    for stop in arr(body.get("stop_sequences") or [], "stop_sequences"):
        if not string(stop, "stop_sequences").strip():
            raise invalid("stop_sequences: each stop sequence must contain non-whitespace")
    for name in obj(body.get("metadata") or {}, "metadata"):
        if name != "user_id":
            raise invalid(f"metadata.{name}: Extra inputs are not permitted")


def check_thinking(body: Json, contents: list[list[Json]], messages: list[Json], model: Model) -> bool:
    """Whether the model shall think. Raises ``Refusal`` for what does not go together with it."""
    thinking = obj(body.get("thinking") or {"type": "disabled"}, "thinking")
    kind = thinking.get("type")
    if kind not in ("enabled", "adaptive", "disabled"):
        raise invalid(f"thinking: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    if kind == "disabled":
        return False
    if model.thinking == "none" or (kind == "adaptive" and model.thinking == "budget"):
        raise invalid(f"{'adaptive thinking' if kind == 'adaptive' else 'thinking'} is not supported on this model")
    if kind == "enabled":
        _check_budget(thinking, body)
    choice = obj(body.get("tool_choice") or {}, "tool_choice")
    if choice.get("type") in ("any", "tool"):
        raise invalid("Thinking may not be enabled when tool_choice forces tool use.")
    if body.get("temperature") not in (None, 1):
        raise invalid("`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.")
    if body.get("top_k") is not None:
        raise invalid("`top_k` must be unset when thinking is enabled.")
    if (top_p := body.get("top_p")) is not None and top_p < _LEAST_TOP_P:
        raise invalid("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.")
    if kind == "enabled":  # in adaptive mode the model may have answered without a thought
        _check_last_turn(contents, messages)
    return True


def _check_budget(thinking: Json, body: Json) -> None:
    budget: Any = thinking.get("budget_tokens")
    if budget is None:
        raise invalid("thinking.enabled.budget_tokens: Field required")
    if not isinstance(budget, int) or budget < _LEAST_BUDGET:
        raise invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    if (limit := body.get("max_tokens")) is not None and limit <= budget:
        raise invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")


def _check_last_turn(contents: list[list[Json]], messages: list[Json]) -> None:
    """The turn that the model is in the middle of has to begin with a thought; earlier ones may have lost theirs."""
    first: int | None = None
    for at in range(len(messages) - 1, -1, -1):
        if messages[at]["role"] == "assistant" and contents[at]:
            first = at
            if contents[at][0]["type"] in _THOUGHTS:
                return
        elif not any(part["type"] == "tool_result" for part in contents[at]):
            break
    if first is not None:
        raise invalid(
            f"messages.{first}.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
            f"`{contents[first][0]['type']}`. When `thinking` is enabled, a final `assistant` message must start with "
            "a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks)."
        )


def check_format(wanted: Json, model: Model) -> Json:
    """The schema that the answer has to have. Raises ``Refusal``."""
    if wanted.get("type") != "json_schema":
        raise invalid("output_config.format.type: Input should be 'json_schema'")
    if not model.structured:
        raise invalid(f"'{model.name}' does not support output format.")
    schema = obj(wanted.get("schema"), "output_config.format.schema")
    _check_closed(schema)
    return schema


def _check_closed(schema: Json) -> None:
    """Objects have to say that they have no other properties."""
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        message = "For 'object' type, 'additionalProperties' must be explicitly set to false"
        raise invalid(f"output_config.format.schema: {message}")
    for group in ("properties", "$defs", "definitions"):
        for inner in obj(schema.get(group) or {}, group).values():
            _check_closed(obj(inner, group))
    if schema.get("items"):
        _check_closed(obj(schema["items"], "items"))
    for inner in arr(schema.get("anyOf") or [], "anyOf"):
        _check_closed(obj(inner, "anyOf"))
