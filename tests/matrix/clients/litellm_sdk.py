"""LiteLLM's functions, on all three wires."""

import inspect
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import msgspec
from litellm.exceptions import MidStreamFallbackError
from tests.matrix.clients.base import MOST_TOKENS, Client
from tests.matrix.clients.openai_sdk import Chat, Responses

import litellm

litellm.suppress_debug_info = True


class Completion(Chat):
    """``litellm.completion``: OpenAI's form, whatever is spoken."""

    provider = "openai"

    def given(self, model):
        return super().given(model) | self.client.to(model, self.provider) | {"max_tokens": MOST_TOKENS}

    def ask(self, model):
        return self.outcome(self.client.call(litellm.completion, **self.given(model)))

    def stream(self, model):
        options = {"stream": True, "stream_options": {"include_usage": True}}
        chunks = self.client.listed(litellm.completion, **self.given(model), **options)
        pieces = sum(bool(chunk.choices and chunk.choices[0].delta.content) for chunk in chunks)
        outcome = self.outcome(litellm.stream_chunk_builder(chunks, messages=self.history), pieces)
        return msgspec.structs.replace(outcome, model=None)  # it shows the one that was asked for

    def parse(self, model, shape):
        completion = self.client.call(litellm.completion, **self.given(model), response_format=shape)
        found = shape.model_validate_json(completion.choices[0].message.content)
        return self.outcome(completion, parsed=found.model_dump())


class CompletionOnMessages(Completion):
    """The same, and LiteLLM translates."""

    provider = "anthropic"


class LiteResponses(Responses):
    """``litellm.responses``."""

    def given(self, model):
        return super().given(model) | self.client.to(model, "openai")

    def ask(self, model):
        return self.outcome(self.client.call(litellm.responses, **self.given(model)))

    def stream(self, model):
        events = self.client.listed(litellm.responses, **self.given(model), stream=True)
        pieces = sum(event.type == "response.output_text.delta" for event in events)
        return self.outcome(events[-1].response, pieces)

    def parse(self, model, shape):
        response = self.client.call(litellm.responses, **self.given(model), text_format=shape)
        return self.outcome(response, parsed=shape.model_validate_json(response.output_text).model_dump())


class LiteLLM(Client):
    """``litellm``, in a thread of its own: in the first thread of a process it makes event loops, and leaves them."""

    name = "litellm"
    wires: ClassVar = {"chat": Completion, "responses": LiteResponses, "messages": CompletionOnMessages}

    def __init__(self, url, key):
        super().__init__(url, key)
        self.thread, self.known = ThreadPoolExecutor(1), set()

    def to(self, model, provider):
        if model not in self.known:  # it streams only with models that it knows
            self.known.add(model)
            about = {"litellm_provider": "openai", "mode": "chat", "supports_native_streaming": True}
            litellm.register_model({f"openai/{model}": about})
        base = self.url if provider == "anthropic" else f"{self.url}/v1"
        return {"model": f"{provider}/{model}", "api_base": base, "api_key": self.key, "max_retries": 0}

    def call(self, function, **given):
        return self.thread.submit(function, **given).result()

    def listed(self, function, **given):
        return self.thread.submit(lambda: list(function(**given))).result()

    def errors(self, wire):
        return {
            "missing": litellm.NotFoundError,
            "limited": litellm.RateLimitError,
            "server": litellm.InternalServerError,
            "broken": MidStreamFallbackError,
        }

    def close(self):
        self.thread.shutdown()
        for kept in litellm.in_memory_llm_clients_cache.cache_dict.values():
            if not inspect.iscoroutinefunction(getattr(kept, "close", None)):
                kept.close()
