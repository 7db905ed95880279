"""LangChain's chat models: the same calls whoever answers."""

from typing import ClassVar

import anthropic
import openai
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI
from tests.matrix.clients.anthropic_sdk import FINISH as MESSAGES_FINISH
from tests.matrix.clients.base import MOST_TOKENS, Called, Client, Outcome, Talk
from tests.matrix.clients.openai_sdk import FINISH as CHAT_FINISH


class Chain(Talk):
    """Messages in, message out."""

    def __init__(self, client, *, system=None, **given):
        super().__init__(client, system=system, **given)
        if system:
            self.history.append(SystemMessage(system))

    def offered(self, tool):
        function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
        return {"type": "function", "function": function}

    def say(self, text, picture=None):
        image = {"type": "image", "base64": picture, "mime_type": "image/png"}
        self.history.append(HumanMessage([{"type": "text", "text": text}, image] if picture else text))

    def give(self, results):
        self.history += [ToolMessage(text, tool_call_id=call.id, name=call.name) for call, text in results]

    def bound(self, model):
        chat = self.client.model(model, self.wire)
        return chat.bind_tools(self.tools) if self.tools else chat

    def ask(self, model):
        return self.outcome(self.bound(model).invoke(self.history))

    def stream(self, model):
        chunks = list(self.bound(model).stream(self.history))
        whole = chunks[0]
        for chunk in chunks[1:]:
            whole += chunk
        return self.outcome(whole, pieces=sum(bool(chunk.text) for chunk in chunks))

    def parse(self, model, shape):
        chat = self.client.model(model, self.wire).with_structured_output(shape, include_raw=True, method="json_schema")
        found = chat.invoke(self.history)
        assert found["parsing_error"] is None
        return self.outcome(found["raw"], parsed=found["parsed"].model_dump())

    def outcome(self, message: AIMessage, pieces=None, parsed=None):
        self.history.append(message)
        told = message.response_metadata
        finish = self.finish(message, told)
        return Outcome(
            str(message.text),
            tuple(Called(call["id"], call["name"], call["args"]) for call in message.tool_calls),
            finish,
            message.usage_metadata["input_tokens"],
            message.usage_metadata["output_tokens"],
            told.get("model_name") or told["model"],
            pieces,
            parsed,
        )

    def finish(self, message, told):
        return CHAT_FINISH[told["finish_reason"]]


class ChainChat(Chain):
    wire = "chat"


class ChainResponses(Chain):
    wire = "responses"

    def finish(self, message, told):
        return "tools" if message.tool_calls else {"completed": "stop", "incomplete": "length"}[told["status"]]


class ChainMessages(Chain):
    wire = "messages"

    def finish(self, message, told):
        return MESSAGES_FINISH[told["stop_reason"]]


class LangChainOpenAI(Client):
    """``langchain_openai.ChatOpenAI``."""

    name = "langchain-openai"
    wires: ClassVar = {"chat": ChainChat, "responses": ChainResponses}

    def __init__(self, url, key):
        super().__init__(url, key)
        self.models = {}

    def model(self, name, wire):
        if (name, wire) not in self.models:
            self.models[name, wire] = self.made(name, wire)
        return self.models[name, wire]

    def close(self):
        for model in self.models.values():
            model.root_client.close()

    def made(self, name, wire):
        return ChatOpenAI(
            model=name, base_url=f"{self.url}/v1", api_key=self.key, max_retries=0, stream_usage=True,
            use_responses_api=wire == "responses", **({"store": False} if wire == "responses" else {}),
        )  # fmt: skip

    def errors(self, wire):
        return {
            "missing": openai.NotFoundError,
            "limited": openai.RateLimitError,
            "server": openai.InternalServerError,
            "broken": (openai.APIError, ValueError),
        }


class LangChainAnthropic(LangChainOpenAI):
    """``langchain_anthropic.ChatAnthropic``."""

    name = "langchain-anthropic"
    wires: ClassVar = {"messages": ChainMessages}

    def close(self):
        for model in self.models.values():
            model._client.close()

    def made(self, name, wire):
        return ChatAnthropic(model=name, base_url=self.url, api_key=self.key, max_retries=0, max_tokens=MOST_TOKENS)

    def errors(self, wire):
        return {
            "missing": anthropic.NotFoundError,
            "limited": anthropic.RateLimitError,
            "server": anthropic.InternalServerError,
            "broken": anthropic.APIStatusError,
        }
