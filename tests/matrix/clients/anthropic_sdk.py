"""Anthropic's library, sync and async."""

import asyncio
from typing import ClassVar

import anthropic
from tests.matrix.clients.base import MOST_TOKENS, Called, Client, Outcome, Talk

FINISH = {"end_turn": "stop", "stop_sequence": "stop", "tool_use": "tools", "max_tokens": "length"}


class Messages(Talk):
    def offered(self, tool):
        return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}

    def say(self, text, picture=None):
        content = text
        if picture:
            source = {"type": "base64", "media_type": "image/png", "data": picture}
            content = [{"type": "image", "source": source}, {"type": "text", "text": text}]
        self.history.append({"role": "user", "content": content})

    def give(self, results):
        blocks = [{"type": "tool_result", "tool_use_id": call.id, "content": text} for call, text in results]
        self.history.append({"role": "user", "content": blocks})

    def given(self, model):
        given = {"model": model, "messages": self.history, "max_tokens": MOST_TOKENS} | self.more
        return given | {k: v for k, v in (("tools", self.tools), ("system", self.system)) if v}

    def ask(self, model):
        return self.outcome(self.client.create(**self.given(model)))

    def stream(self, model):
        pieces, message = self.client.stream(**self.given(model))
        return self.outcome(message, pieces)

    def parse(self, model, shape):
        message = self.client.parse(**self.given(model), output_format=shape)
        return self.outcome(message, parsed=message.parsed_output.model_dump())

    def outcome(self, message, pieces=None, parsed=None):
        self.history.append({"role": "assistant", "content": message.content})
        usage = message.usage
        cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
        return Outcome(
            "".join(block.text for block in message.content if block.type == "text"),
            tuple(Called(block.id, block.name, block.input) for block in message.content if block.type == "tool_use"),
            FINISH.get(message.stop_reason, message.stop_reason),
            usage.input_tokens + cached,
            usage.output_tokens,
            message.model,
            pieces,
            parsed,
        )


class Anthropic(Client):
    """``anthropic.Anthropic``."""

    name = "anthropic"
    wires: ClassVar = {"messages": Messages}

    def __init__(self, url, key):
        super().__init__(url, key)
        self.api = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0)

    def errors(self, wire):
        return {
            "missing": anthropic.NotFoundError,
            "limited": anthropic.RateLimitError,
            "server": anthropic.InternalServerError,
            "broken": anthropic.APIStatusError,
        }

    def create(self, **given):
        return self.api.messages.create(**given)

    def stream(self, **given):
        with self.api.messages.stream(**given) as stream:
            pieces = sum(event.type == "text" for event in stream)
            return pieces, stream.get_final_message()

    def parse(self, **given):
        return self.api.messages.parse(**given)

    def close(self):
        self.api.close()


class AsyncAnthropic(Anthropic):
    """``anthropic.AsyncAnthropic``, in one event loop."""

    name = "anthropic-async"

    def __init__(self, url, key):
        Client.__init__(self, url, key)
        self.loop = asyncio.Runner()
        self.api = anthropic.AsyncAnthropic(base_url=url, api_key=key, max_retries=0)

    def create(self, **given):
        return self.loop.run(self.api.messages.create(**given))

    def stream(self, **given):
        async def streamed():
            async with self.api.messages.stream(**given) as stream:
                pieces = len([event async for event in stream if event.type == "text"])
                return pieces, await stream.get_final_message()

        return self.loop.run(streamed())

    def parse(self, **given):
        return self.loop.run(self.api.messages.parse(**given))

    def close(self):
        self.loop.run(self.api.close())
        self.loop.close()
