"""curl: nothing between the wire and the eye. Requests and replies are what the APIs' pages show."""

import json
import subprocess
from typing import ClassVar

from tests.matrix.clients.anthropic_sdk import FINISH as MESSAGES_FINISH
from tests.matrix.clients.base import MOST_TOKENS, Called, Client, Outcome, Talk
from tests.matrix.clients.openai_sdk import FINISH as CHAT_FINISH

PATIENCE_S = 60


class Refused(Exception):
    """An error in the shape of the API."""


class Invalid(Refused):
    pass


class Missing(Refused):
    pass


class Limited(Refused):
    pass


class Server(Refused):
    pass


class Broken(Refused):
    """An error inside a stream."""


def refusal(status):
    return {400: Invalid, 404: Missing, 429: Limited}.get(status, Server if status >= 500 else Refused)


class Curl(Client):
    """``curl -N``."""

    name = "curl"

    def close(self):
        """Nothing is held."""

    def errors(self, wire):
        return {"missing": Missing, "limited": Limited, "server": Server, "broken": Broken}

    def post(self, path, body, *headers):
        """Status and body."""
        named = [header.format(key=self.key) for header in ("content-type: application/json", *headers)]
        named = [part for header in named for part in ("-H", header)]
        done = subprocess.run(
            ["curl", "-sSN", self.url + path, *named, "--data-binary", "@-", "-w", "\n%{http_code}"],
            input=json.dumps(body), capture_output=True, text=True, check=True, timeout=PATIENCE_S,
        )  # fmt: skip
        text, _, status = done.stdout.rpartition("\n")
        return int(status), text


class Raw(Talk):
    path = ""
    headers: tuple[str, ...] = ("authorization: Bearer {key}",)

    def offered(self, tool):
        return {"type": "function", "function": {"name": tool.name, "parameters": tool.parameters}}

    def given(self, model):
        """The body."""

    def outcome(self, reply, pieces=None):
        """The reply in one piece, understood."""

    def whole(self, events):
        """The reply in one piece that a stream adds up to, and how many pieces of text it had."""

    def check(self, error):
        assert error.keys() == {"message", "type", "param", "code"}
        assert error["message"]
        assert isinstance(error["type"], str)

    def send(self, body):
        status, text = self.client.post(self.path, body, *self.headers)
        if status != 200:
            if not self.as_they_are:
                self.check_reply(json.loads(text))
            raise refusal(status)(text)
        return text

    def check_reply(self, reply):
        assert reply.keys() == {"error"}
        self.check(reply["error"])

    def ask(self, model):
        return self.outcome(json.loads(self.send(self.given(model))))

    def stream(self, model):
        text = self.send(self.given(model) | self.streaming)
        events = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
        read = [json.loads(event) for event in events if event != "[DONE]"]
        self.check_end(events, read)
        return self.outcome(*self.whole(read))

    streaming: ClassVar = {"stream": True}

    def check_end(self, events, read):
        pass

    def parse(self, model, shape):
        outcome = self.outcome(json.loads(self.send(self.given(model) | self.formatted(shape))))
        return Outcome(*[getattr(outcome, name) for name in Outcome.__struct_fields__[:-1]], json.loads(outcome.text))


class RawChat(Raw):
    path = "/v1/chat/completions"
    streaming: ClassVar = {"stream": True, "stream_options": {"include_usage": True}}

    def say(self, text, picture=None):
        image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}
        content = [{"type": "text", "text": text}, image] if picture else text
        self.history.append({"role": "user", "content": content})

    def give(self, results):
        self.history += [{"role": "tool", "tool_call_id": call.id, "content": text} for call, text in results]

    def given(self, model):
        head = [{"role": "system", "content": self.system}] if self.system else []
        given = {"model": model, "messages": head + self.history} | self.more
        return given | ({"tools": self.tools} if self.tools else {})

    def formatted(self, shape):
        schema = shape.model_json_schema() | {"additionalProperties": False}
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "ticket", "schema": schema}}}

    def outcome(self, reply, pieces=None):
        (choice,) = reply["choices"]
        self.history.append(choice["message"])
        calls = [(one["id"], one["function"]) for one in choice["message"].get("tool_calls") or []]
        return Outcome(
            choice["message"]["content"] or "",
            tuple(Called(key, function["name"], json.loads(function["arguments"])) for key, function in calls),
            CHAT_FINISH.get(choice["finish_reason"]),
            reply["usage"]["prompt_tokens"],
            reply["usage"]["completion_tokens"],
            reply["model"],
            pieces,
        )

    def check_end(self, events, read):
        if broken := [event for event in read if "error" in event]:
            self.check(broken[-1]["error"])
            raise Broken(broken)
        assert events[-1] == "[DONE]"
        assert read[-1]["choices"] == []
        assert all(event["usage"] is None for event in read[:-1])

    def whole(self, events):
        message, texts, calls, finish = {"role": "assistant"}, [], {}, None
        for choice in (choice for event in events for choice in event["choices"]):
            texts += [choice["delta"]["content"]] if choice["delta"].get("content") else []
            for part in choice["delta"].get("tool_calls", []):
                call = calls.setdefault(part["index"], {"function": {"arguments": ""}})
                function = part["function"]
                call["function"]["arguments"] += function.get("arguments", "")
                call["function"] |= {"name": function["name"]} if "name" in function else {}
                call |= {name: part[name] for name in ("id", "type") if name in part}
            finish = choice["finish_reason"] or finish
        message |= {"content": "".join(texts) or None} | ({"tool_calls": list(calls.values())} if calls else {})
        choices = [{"message": message, "finish_reason": finish}]
        return {"choices": choices, "usage": events[-1]["usage"], "model": events[-1]["model"]}, len(texts)


class RawResponses(Raw):
    path = "/v1/responses"

    def offered(self, tool):
        return {"type": "function", "name": tool.name, "parameters": tool.parameters}

    def say(self, text, picture=None):
        image = {"type": "input_image", "image_url": f"data:image/png;base64,{picture}"}
        content = [{"type": "input_text", "text": text}, image] if picture else text
        self.history.append({"role": "user", "content": content})

    def give(self, results):
        self.history += [{"type": "function_call_output", "call_id": call.id, "output": text} for call, text in results]

    def given(self, model):
        given = {"model": model, "input": self.history, "store": False} | self.more
        return given | {k: v for k, v in (("tools", self.tools), ("instructions", self.system)) if v}

    def formatted(self, shape):
        schema = shape.model_json_schema() | {"additionalProperties": False}
        return {"text": {"format": {"type": "json_schema", "name": "ticket", "schema": schema}}}

    def outcome(self, reply, pieces=None):
        self.history += reply["output"]
        said = [part for item in reply["output"] if item["type"] == "message" for part in item["content"]]
        calls = [item for item in reply["output"] if item["type"] == "function_call"]
        return Outcome(
            "".join(part["text"] for part in said if part["type"] == "output_text"),
            tuple(Called(call["call_id"], call["name"], json.loads(call["arguments"])) for call in calls),
            "tools" if calls else {"completed": "stop", "incomplete": "length"}.get(reply["status"]),
            reply["usage"]["input_tokens"],
            reply["usage"]["output_tokens"],
            reply["model"],
            pieces,
        )

    def check_end(self, events, read):
        if read[-1]["type"] in ("error", "response.failed"):
            raise Broken(read[-1])
        assert read[-1]["type"] == "response.completed"
        assert [event["sequence_number"] for event in read] == list(range(len(read)))

    def whole(self, events):
        """The last event has all; what was said on the way has to add up to it."""
        final = events[-1]["response"]
        texts = [event["delta"] for event in events if event["type"] == "response.output_text.delta"]
        said = [part["text"] for item in final["output"] if item["type"] == "message" for part in item["content"]]
        assert "".join(texts) == "".join(said)
        parts = [event["delta"] for event in events if event["type"] == "response.function_call_arguments.delta"]
        assert "".join(parts) == "".join(i["arguments"] for i in final["output"] if i["type"] == "function_call")
        return final, len(texts)


class RawMessages(Raw):
    path = "/v1/messages"
    headers = ("x-api-key: {key}", "anthropic-version: 2023-06-01")

    def offered(self, tool):
        return {"name": tool.name, "input_schema": tool.parameters}

    def say(self, text, picture=None):
        source = {"type": "base64", "media_type": "image/png", "data": picture}
        content = [{"type": "image", "source": source}, {"type": "text", "text": text}] if picture else text
        self.history.append({"role": "user", "content": content})

    def give(self, results):
        blocks = [{"type": "tool_result", "tool_use_id": call.id, "content": text} for call, text in results]
        self.history.append({"role": "user", "content": blocks})

    def given(self, model):
        given = {"model": model, "messages": self.history, "max_tokens": MOST_TOKENS} | self.more
        return given | {k: v for k, v in (("tools", self.tools), ("system", self.system)) if v}

    def formatted(self, shape):
        schema = shape.model_json_schema() | {"additionalProperties": False}
        return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}

    def outcome(self, reply, pieces=None):
        assert reply["type"] == "message"
        assert reply["role"] == "assistant"
        self.history.append({"role": "assistant", "content": reply["content"]})
        texts = [block["text"] for block in reply["content"] if block["type"] == "text"]
        calls = [block for block in reply["content"] if block["type"] == "tool_use"]
        counted = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        return Outcome(
            "".join(texts),
            tuple(Called(call["id"], call["name"], call["input"]) for call in calls),
            MESSAGES_FINISH.get(reply["stop_reason"]),
            sum(reply["usage"].get(name) or 0 for name in counted),
            reply["usage"]["output_tokens"],
            reply["model"],
            pieces,
        )

    def check_reply(self, reply):
        assert reply["type"] == "error"
        self.check(reply["error"])

    def check(self, error):
        assert error.keys() == {"type", "message"}
        assert error["type"].endswith("_error")

    def check_end(self, events, read):
        if read[-1]["type"] == "error":
            self.check_reply(read[-1])
            raise Broken(read[-1])
        assert read[0]["type"] == "message_start"
        assert read[-1]["type"] == "message_stop"

    def whole(self, events):
        reply, blocks, texts, written = {}, {}, [], {}
        for event in events:
            match event["type"]:
                case "message_start":
                    reply = event["message"]
                case "content_block_start":
                    blocks[event["index"]] = event["content_block"]
                case "content_block_delta":
                    delta, block = event["delta"], blocks[event["index"]]
                    if delta["type"] == "text_delta":
                        block["text"] += delta["text"]
                        texts.append(delta["text"])
                    elif delta["type"] == "input_json_delta":
                        written[event["index"]] = written.get(event["index"], "") + delta["partial_json"]
                    else:
                        block[delta["type"].removesuffix("_delta")] += delta[delta["type"].removesuffix("_delta")]
                case "message_delta":
                    reply |= event["delta"] | {"usage": reply["usage"] | event["usage"]}
        for index, text in written.items():
            blocks[index]["input"] = json.loads(text or "{}")
        return reply | {"content": [blocks[index] for index in sorted(blocks)]}, len(texts)


Curl.wires = {"chat": RawChat, "responses": RawResponses, "messages": RawMessages}
