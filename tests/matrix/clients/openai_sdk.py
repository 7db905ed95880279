"""OpenAI's library, sync and async, on chat completions and on responses."""

import asyncio
import json
from typing import ClassVar

import openai
from tests.matrix.clients.base import Called, Client, Outcome, Talk

FINISH = {"stop": "stop", "tool_calls": "tools", "length": "length"}


class Chat(Talk):
    def __init__(self, client, *, system=None, **given):
        super().__init__(client, system=system, **given)
        if system:
            self.history.append({"role": "system", "content": system})

    def offered(self, tool):
        function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters, "strict": True}
        return {"type": "function", "function": function}

    def say(self, text, picture=None):
        content = text
        if picture:
            image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}
            content = [{"type": "text", "text": text}, image]
        self.history.append({"role": "user", "content": content})

    def give(self, results):
        self.history += [{"role": "tool", "tool_call_id": call.id, "content": text} for call, text in results]

    def given(self, model):
        given = {"model": model, "messages": self.history} | self.more
        return given | ({"tools": self.tools} if self.tools else {})

    def ask(self, model):
        return self.outcome(self.client.chat(**self.given(model)))

    def stream(self, model):
        pieces, final = self.client.chat_stream(**self.given(model), stream_options={"include_usage": True})
        return self.outcome(final, pieces)

    def parse(self, model, shape):
        completion = self.client.chat_parse(**self.given(model), response_format=shape)
        return self.outcome(completion, parsed=completion.choices[0].message.parsed.model_dump())

    def outcome(self, completion, pieces=None, parsed=None):
        choice = completion.choices[0]
        self.history.append(choice.message)
        calls = choice.message.tool_calls or []
        return Outcome(
            choice.message.content or "",
            tuple(Called(call.id, call.function.name, json.loads(call.function.arguments)) for call in calls),
            FINISH.get(choice.finish_reason, choice.finish_reason),
            completion.usage.prompt_tokens,
            completion.usage.completion_tokens,
            completion.model,
            pieces,
            parsed,
        )


class Responses(Talk):
    def offered(self, tool):
        function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters, "strict": True}
        return {"type": "function", **function}

    def say(self, text, picture=None):
        content = text
        if picture:
            image = {"type": "input_image", "image_url": f"data:image/png;base64,{picture}", "detail": "auto"}
            content = [{"type": "input_text", "text": text}, image]
        self.history.append({"role": "user", "content": content})

    def give(self, results):
        self.history += [{"type": "function_call_output", "call_id": call.id, "output": text} for call, text in results]

    def given(self, model):
        given = {"model": model, "input": self.history, "store": False} | self.more
        return given | {k: v for k, v in (("tools", self.tools), ("instructions", self.system)) if v}

    def ask(self, model):
        return self.outcome(self.client.responses(**self.given(model)))

    def stream(self, model):
        pieces, final = self.client.responses_stream(**self.given(model))
        return self.outcome(final, pieces)

    def parse(self, model, shape):
        response = self.client.responses_parse(**self.given(model), text_format=shape)
        return self.outcome(response, parsed=response.output_parsed.model_dump())

    def outcome(self, response, pieces=None, parsed=None):
        self.history += response.output
        calls = tuple(
            Called(item.call_id, item.name, json.loads(item.arguments))
            for item in response.output
            if item.type == "function_call"
        )
        finish = "tools" if calls else {"completed": "stop", "incomplete": "length"}[response.status]
        usage = response.usage
        return Outcome(
            response.output_text, calls, finish, usage.input_tokens, usage.output_tokens, response.model, pieces, parsed
        )


class OpenAI(Client):
    """``openai.OpenAI``."""

    name = "openai"
    wires: ClassVar = {"chat": Chat, "responses": Responses}

    def __init__(self, url, key):
        super().__init__(url, key)
        self.api = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)

    def errors(self, wire):
        return {
            "missing": openai.NotFoundError,
            "limited": openai.RateLimitError,
            "server": openai.InternalServerError,
            "broken": (openai.APIError, RuntimeError),  # the latter: "no response.completed"
        }

    def chat(self, **given):
        return self.api.chat.completions.create(**given)

    def chat_stream(self, **given):
        with self.api.chat.completions.stream(**given) as stream:
            pieces = sum(event.type == "content.delta" for event in stream)
            return pieces, stream.get_final_completion()

    def chat_parse(self, **given):
        return self.api.chat.completions.parse(**given)

    def responses(self, **given):
        return self.api.responses.create(**given)

    def responses_stream(self, **given):
        with self.api.responses.stream(**given) as stream:
            pieces = sum(event.type == "response.output_text.delta" for event in stream)
            return pieces, stream.get_final_response()

    def responses_parse(self, **given):
        return self.api.responses.parse(**given)

    def close(self):
        self.api.close()


class AsyncOpenAI(OpenAI):
    """``openai.AsyncOpenAI``, in one event loop."""

    name = "openai-async"

    def __init__(self, url, key):
        Client.__init__(self, url, key)
        self.loop = asyncio.Runner()
        self.api = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)

    def chat(self, **given):
        return self.loop.run(self.api.chat.completions.create(**given))

    def chat_stream(self, **given):
        async def streamed():
            async with self.api.chat.completions.stream(**given) as stream:
                pieces = len([event async for event in stream if event.type == "content.delta"])
                return pieces, await stream.get_final_completion()

        return self.loop.run(streamed())

    def chat_parse(self, **given):
        return self.loop.run(self.api.chat.completions.parse(**given))

    def responses(self, **given):
        return self.loop.run(self.api.responses.create(**given))

    def responses_stream(self, **given):
        async def streamed():
            async with self.api.responses.stream(**given) as stream:
                pieces = len([event async for event in stream if event.type == "response.output_text.delta"])
                return pieces, await stream.get_final_response()

        return self.loop.run(streamed())

    def responses_parse(self, **given):
        return self.loop.run(self.api.responses.parse(**given))

    def close(self):
        self.loop.run(self.api.close())
        self.loop.close()
