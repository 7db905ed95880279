"""OpenAI-compatible endpoints that differ from OpenAI's. What they do stands in ``dialects.toml``: data, not code."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Literal

import msgspec

from farthing.simulator.call import Call, Json, Refusal, UsageShape, listed, obj
from farthing.simulator.catalog import Model
from farthing.simulator.openai_wire import FIELDS, parse_chat
from farthing.simulator.refusals import invalid

Errors = Literal["openai", "google", "mistral", "flat"]
Auth = Literal["bearer", "api-key", "none"]


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One endpoint. Fields are those of a chat request."""

    name: str
    auth: Auth = "bearer"
    """Where the key stands; ``none``: it needs none."""
    responses: bool = False
    """It has OpenAI's responses API, too, with nothing of its own but key and errors."""
    only: frozenset[str] = FIELDS
    """The fields that there are."""
    without: frozenset[str] = frozenset()
    """Those of OpenAI's that there are not."""
    extra: frozenset[str] = frozenset()
    """Those that OpenAI does not have."""
    unknown: Literal["refused", "ignored"] = "refused"
    """What becomes of a field that there is not."""
    message_without: frozenset[str] = frozenset()
    """Fields that a message cannot have."""
    roles: tuple[str, ...] = ()
    """The roles that there are, if not all."""
    one_choice: bool = False
    """``n`` has to be 1."""
    json_schema: Literal["strict", "lenient", "none"] = "strict"
    call_id: str | None = None
    """The pattern of a tool call's id."""
    call_ids: tuple[str, int] = ("call_", 24)
    """How its own begin, and how many letters and digits follow."""
    status: int = 400
    """The status of a refusal of a field."""
    wording: str = "Unrecognized request argument supplied: {name}"
    errors: Errors = "openai"
    usage: UsageShape = "openai"
    always_usage: bool = False
    """A stream ends with usage, on the last chunk with a choice."""
    shown: bool = False
    """Thoughts are told in ``reasoning_content``."""

    def parse(self, body: Json, model: Model) -> Call:
        """The body as a call. Raises ``Refusal`` as this endpoint does, or ``TypeError`` that names the field."""
        call = parse_chat(self._as_openai(body), model)
        return msgspec.structs.replace(
            call, call_ids=self.call_ids, usage=self.usage, always_usage=self.always_usage, shown=self.shown, echo=body
        )

    def _as_openai(self, body: Json) -> Json:
        known = (self.only - self.without) | self.extra
        for name in body:
            if name not in known and self.unknown == "refused":
                raise self._refused(name)
        for at, message in enumerate(listed(body.get("messages"))):
            self._check_message(obj(message, f"messages[{at}]"), at)
        if self.one_choice and body.get("n") not in (None, 1):
            raise invalid("'n' : number must be at most 1", param="n")
        asked = {name: value for name, value in body.items() if name in known & FIELDS}
        if "max_tokens" in asked:
            asked["max_completion_tokens"] = asked.pop("max_tokens")
        return asked | self._format(asked)

    def _check_message(self, message: Json, at: int) -> None:
        for name in message:
            if name in self.message_without:
                raise self._refused(f"messages.{at}.{name}")
        role = message.get("role")
        if self.roles and role not in self.roles:
            raise Refusal(self.status, f"messages[{at}].role: unknown variant `{role}`", type="invalid_request_error")
        if self.call_id is None:
            return
        ids = [obj(call, "tool_calls").get("id") for call in listed(message.get("tool_calls"))]
        for key in (*ids, message.get("tool_call_id")):
            if key is not None and not re.fullmatch(self.call_id, str(key)):
                text = f"Tool call id was {key} but must be a-z, A-Z, 0-9, with a length of 9."
                raise Refusal(400, text, type="invalid_request_message_order", code="3280")

    def _format(self, body: Json) -> Json:
        """The answer's shape, not kept to strictly where the endpoint does not."""
        shape = obj(body.get("response_format") or {}, "response_format")
        if shape.get("type") != "json_schema" or self.json_schema == "strict":
            return {}
        if self.json_schema == "none":
            raise invalid("This response_format type is unavailable now", code="invalid_request_error")
        inner = obj(shape.get("json_schema"), "response_format.json_schema")
        return {"response_format": shape | {"json_schema": inner | {"strict": False}}}

    def _refused(self, name: str) -> Refusal:
        if self.errors == "mistral":
            detail: Json = {"type": "extra_forbidden", "loc": ["body", *name.split(".")]}
            detail["msg"] = "Extra inputs are not permitted"
            return Refusal(self.status, msgspec.json.encode([detail]).decode(), type="invalid_request_error")
        return Refusal(self.status, self.wording.format(name=name), type="invalid_request_error", param=name)

    def error_body(self, refusal: Refusal) -> Json | list[Json]:
        """The JSON that the client gets."""
        match self.errors:
            case "google":
                word = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
                status = word.get(refusal.status, "INTERNAL")
                return [{"error": {"code": refusal.status, "message": refusal.message, "status": status}}]
            case "mistral" | "flat":
                told: Json = {"object": "error", "message": refusal.message, "type": refusal.type}
                return told | {"param": refusal.param, "code": refusal.code or refusal.status}
            case "openai":
                error: Json = {"message": refusal.message, "type": refusal.type}
                return {"error": error | {"param": refusal.param, "code": refusal.code}}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dialect: tuple[Dialect, ...]


def dialects() -> tuple[Dialect, ...]:
    """The endpoints that come with the package."""
    text = files("farthing.simulator").joinpath("dialects.toml").read_bytes()
    return msgspec.toml.decode(text, type=_File).dialect
