"""What OpenAI demands of the input items of a response: calls and their outputs, pictures, thoughts. Pure."""

from __future__ import annotations

from typing import Any, Final

from farthing.simulator.call import Json, listed, obj, string
from farthing.simulator.openai_rules import check_file, check_name, check_picture
from farthing.simulator.refusals import invalid

_LONGEST_ID: Final = 64


def check_items(given: Any) -> None:  # noqa: ANN401 - any JSON value
    """Raises ``Refusal``. Input in one string is always good."""
    items = [obj(item, f"input[{at}]") for at, item in enumerate(listed(given))]
    for at, item in enumerate(items):
        _check_item(item, f"input[{at}]")
    _check_calls(items)


def _check_item(item: Json, what: str) -> None:
    match item.get("type", "message"):
        case "function_call":
            check_name(string(item.get("name"), f"{what}.name"), f"{what}.name")
            string(item.get("arguments"), f"{what}.arguments")
            _check_call_id(item, what)
        case "function_call_output":
            _check_call_id(item, what)
            _check_parts(item.get("output"), f"{what}.output")
        case "reasoning":
            if item.get("encrypted_content") is not None:  # nothing here encrypts any
                message = f"The encrypted content for item {item.get('id')} could not be verified."
                raise invalid(message, code="invalid_encrypted_content")
        case "message":
            _check_parts(item.get("content"), f"{what}.content")
        case _:
            pass


def _check_call_id(item: Json, what: str) -> None:
    key = string(item.get("call_id"), f"{what}.call_id")
    if len(key) > _LONGEST_ID:
        message = (
            f"Invalid '{what}.call_id': string too long. Expected a string with maximum length {_LONGEST_ID}, but got "
            f"a string with length {len(key)} instead."
        )
        raise invalid(message, code="string_above_max_length", param=f"{what}.call_id")


def _check_parts(content: Any, what: str) -> None:  # noqa: ANN401 - any JSON value
    for n, value in enumerate(listed(content)):
        part = obj(value, f"{what}[{n}]")
        if part.get("type") == "input_image" and part.get("file_id") is None:
            check_picture(string(part.get("image_url"), f"{what}[{n}].image_url"), f"{what}[{n}].image_url")
        elif part.get("type") == "input_file" and part.get("file_url") is None:
            check_file(part, f"{what}[{n}]")


def _check_calls(items: list[Json]) -> None:
    """Every call has its output behind it, and every output its call before it."""
    open_ids: list[str] = []
    for item in items:
        if item.get("type") == "function_call":
            open_ids.append(item["call_id"])
        elif item.get("type") == "function_call_output":
            if item["call_id"] not in open_ids:
                message = f"No tool call found for function call output with call_id {item['call_id']}."
                raise invalid(message, param="input")
            open_ids.remove(item["call_id"])
    if open_ids:
        raise invalid(f"No tool output found for function call {open_ids[0]}.", param="input")
