"""What OpenAI demands of a chat, beyond its shape: who answers whom, lengths, ranges, pictures. Pure.

Messages are the API's own, as far as they are known.
"""

from __future__ import annotations

import re
from typing import Any, Final

from farthing.simulator.call import Json, Refusal, arr, kind_of, listed, obj, string
from farthing.simulator.catalog import Model
from farthing.simulator.media import IMAGES, data_url, is_base64
from farthing.simulator.openai_schemas import check_strict, check_top
from farthing.simulator.refusals import invalid
from farthing.simulator.words import words

_LONGEST_ID: Final = 40
_MOST_STOPS: Final = 4
_MOST_CHOICES: Final = 128
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DETAILS: Final = ("auto", "low", "high")
_RANGES: Final = {"temperature": (0, 2), "top_p": (0, 1), "frequency_penalty": (-2, 2), "presence_penalty": (-2, 2)}
_NOT_FOR_REASONING: Final = ("top_p", "stop", "logprobs", "top_logprobs", "frequency_penalty", "presence_penalty")
_PARTS: Final = {
    "text": words("type text prompt_cache_breakpoint"),
    "refusal": words("type refusal"),
    "image_url": words("type image_url prompt_cache_breakpoint"),
    "input_audio": words("type input_audio prompt_cache_breakpoint"),
    "file": words("type file prompt_cache_breakpoint"),
}


def check_messages(messages: list[Json]) -> None:
    """Raises ``Refusal`` for what stands in the wrong place or has the wrong form."""
    for at, message in enumerate(messages):
        what = f"messages[{at}]"
        for n, call in enumerate(arr(message.get("tool_calls") or [], f"{what}.tool_calls")):
            _check_call(obj(call, f"{what}.tool_calls[{n}]"), f"{what}.tool_calls[{n}]")
        if (key := message.get("tool_call_id")) is not None:
            _check_length(string(key, f"{what}.tool_call_id"), f"{what}.tool_call_id")
        content: Any = message.get("content")
        for n, part in enumerate(listed(content)):
            _check_part(obj(part, f"{what}.content[{n}]"), message.get("role"), what, f"{what}.content[{n}]")
    _check_answers(messages)


def check_options(body: Json) -> None:
    """Raises ``Refusal`` for a value outside its range."""
    for name, (least, most) in _RANGES.items():
        value: Any = body.get(name)
        if value is None:
            continue
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise _wrong_type(name, "a decimal", value)
        if value > most:
            message = (
                f"Invalid '{name}': decimal above maximum value. Expected a value <= {most}, but got {value} instead."
            )
            raise invalid(message, code="decimal_above_max_value", param=name)
        if value < least:
            message = (
                f"Invalid '{name}': decimal below minimum value. Expected a value >= {least}, but got {value} instead."
            )
            raise invalid(message, code="decimal_below_min_value", param=name)
    if (count := len(listed(body.get("stop")))) > _MOST_STOPS:
        message = (
            f"Invalid 'stop': array too long. Expected an array with maximum length {_MOST_STOPS}, but got an array "
            f"with length {count} instead."
        )
        raise invalid(message, code="array_above_max_length", param="stop")
    if isinstance(n := body.get("n"), int) and n > _MOST_CHOICES:
        message = f"Invalid 'n': integer above maximum value. Expected a value <= 128, but got {n} instead."
        raise invalid(message, code="integer_above_max_value", param="n")


def check_model(body: Json, model: Model) -> None:
    """Raises ``Refusal`` for what a model that thinks does not take."""
    if not model.reasoning:
        return
    if body.get("max_tokens") is not None:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        raise invalid(message, code="unsupported_parameter", param="max_tokens")
    if body.get("temperature") not in (None, 1):
        message = (
            f"Unsupported value: 'temperature' does not support {body['temperature']} with this model. "
            "Only the default (1) value is supported."
        )
        raise invalid(message, code="unsupported_value", param="temperature")
    for name in _NOT_FOR_REASONING:
        if body.get(name) not in (None, [], False, 0):
            message = f"Unsupported parameter: '{name}' is not supported with this model."
            raise invalid(message, code="unsupported_parameter", param=name)


def check_tools(body: Json) -> None:
    """Raises ``Refusal`` for a name or a schema that the API does not take."""
    tools = arr(body.get("tools") or [], "tools")
    for at, value in enumerate(tools):
        tool = obj(value, f"tools[{at}]")
        if tool.get("type") == "custom":
            continue
        for name in tool:
            if name not in ("type", "function"):
                raise unknown(f"tools[{at}].{name}")
        check_function(obj(tool.get("function"), f"tools[{at}].function"), f"tools[{at}].function")
    if body.get("parallel_tool_calls") is not None and not tools:
        message = (
            "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified."
        )
        raise invalid(message, param="parallel_tool_calls")


def check_function(function: Json, what: str) -> None:
    """The same of one function, of either API."""
    name = string(function.get("name"), f"{what}.name")
    check_name(name, f"{what}.name")
    if (parameters := function.get("parameters")) is None:
        return
    check_top(obj(parameters, f"{what}.parameters"), f"function '{name}'", f"{what}.parameters")
    if function.get("strict"):
        check_strict(parameters, f"function '{name}'", f"{what}.parameters", "invalid_function_parameters")


def check_format(shape: Json, what: str, code: str | None) -> None:
    """Raises ``Refusal`` for a JSON schema that cannot be kept to strictly, where that is asked for."""
    name = string(shape.get("name"), f"{what}.name")
    check_name(name, f"{what}.name")
    if shape.get("strict"):
        check_strict(obj(shape.get("schema"), f"{what}.schema"), f"response_format '{name}'", what, code)


def unknown_format(kind: object, what: str) -> Refusal:
    """What a format of another type than there is gets."""
    message = f"Invalid value: '{kind}'. Supported values are: 'json_object', 'json_schema', and 'text'."
    return invalid(message, code="invalid_value", param=f"{what}.type")


def check_name(name: str, what: str) -> None:
    """Raises ``Refusal`` for a name with other characters, or a long one."""
    if not _NAME.fullmatch(name):
        message = (
            f"Invalid '{what}': string does not match pattern. Expected a string that matches the pattern "
            "'^[a-zA-Z0-9_-]+$'."
        )
        raise invalid(message, code="invalid_value", param=what)


def check_picture(url: str, what: str) -> None:
    """Raises ``Refusal`` for a picture that is no address on the web and no picture in base64."""
    if url.startswith(("https://", "http://")):
        return
    found = data_url(url)
    if found is None:
        message = f"Invalid '{what}'. Expected a valid URL, but got a value with an invalid format."
        raise invalid(message, code="invalid_value", param=what)
    media_type, data = found
    if media_type not in IMAGES:
        message = (
            "You uploaded an unsupported image. Please make sure your image has of one the following formats: "
            "['png', 'jpeg', 'gif', 'webp']."
        )
        raise invalid(message, code="invalid_image_format", param=what)
    if not is_base64(data):
        raise invalid("Invalid base64 image_url.", code="invalid_base64", param=what)


def check_file(file: Json, what: str) -> None:
    """Raises ``Refusal`` for a file that is none."""
    if file.get("file_id") is not None:
        message = f"No such File object: {file['file_id']}"
        raise Refusal(404, message, type="invalid_request_error", param=f"{what}.file_id")
    found = data_url(string(file.get("file_data"), f"{what}.file_data"))
    if found is None or found[0] != "application/pdf" or not is_base64(found[1]):
        message = (
            "Invalid file data: 'file_data'. Expected a base64-encoded data URL with an application/pdf MIME type "
            "(e.g. 'data:application/pdf;base64,aGVsbG8gd29ybGQ=')."
        )
        raise invalid(message, code="invalid_value", param=f"{what}.file_data")


def unknown(what: str) -> Refusal:
    """The error for a field that the API does not have."""
    return invalid(f"Unknown parameter: '{what}'.", code="unknown_parameter", param=what)


def _check_call(call: Json, what: str) -> None:
    _check_length(string(call.get("id"), f"{what}.id"), f"{what}.id")
    if call.get("type") == "custom":
        return
    function = obj(call.get("function"), f"{what}.function")
    check_name(string(function.get("name"), f"{what}.function.name"), f"{what}.function.name")
    if not isinstance(function.get("arguments"), str):
        raise _wrong_type(f"{what}.function.arguments", "a string", function.get("arguments"))


def _check_length(key: str, what: str) -> None:
    if len(key) > _LONGEST_ID:
        message = (
            f"Invalid '{what}': string too long. Expected a string with maximum length {_LONGEST_ID}, but got a string "
            f"with length {len(key)} instead."
        )
        raise invalid(message, code="string_above_max_length", param=what)


def _check_part(part: Json, role: object, message: str, what: str) -> None:
    kind = part.get("type")
    for name in part:
        if isinstance(kind, str) and name not in _PARTS.get(kind, part):
            raise unknown(f"{what}.{name}")
    if kind == "image_url":
        if role != "user":
            text = (
                "Image URLs are only allowed for messages with role 'user', but this message with role "
                f"'{role}' contains an image URL."
            )
            raise invalid(f"Invalid '{message}'. {text}", code="invalid_value", param=message)
        image = obj(part.get("image_url"), f"{what}.image_url")
        check_picture(string(image.get("url"), f"{what}.image_url.url"), f"{what}.image_url.url")
        if image.get("detail", "auto") not in _DETAILS:
            raise invalid(
                f"Invalid value: '{image['detail']}'.", code="invalid_value", param=f"{what}.image_url.detail"
            )
    elif kind == "file":
        check_file(obj(part.get("file"), f"{what}.file"), f"{what}.file")


def _wrong_type(what: str, expected: str, value: object) -> Refusal:
    message = f"Invalid type for '{what}': expected {expected}, but got {kind_of(value)} instead."
    return invalid(message, code="invalid_type", param=what)


def _check_answers(messages: list[Json]) -> None:
    open_ids: list[str] = []
    for at, message in enumerate(messages):
        if message.get("role") == "tool":
            key = message.get("tool_call_id")
            if key not in open_ids:
                text = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                raise invalid(f"Invalid parameter: {text}", param=f"messages.[{at}].role")
            open_ids.remove(key)
            continue
        if open_ids:
            break
        open_ids = [str(call["id"]) for call in arr(message.get("tool_calls") or [], "tool_calls")]
    if open_ids:
        text = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_ids)}"
        )
        raise invalid(text, param="messages")
