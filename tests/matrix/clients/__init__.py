"""The clients of the matrix, by name."""

from tests.matrix.clients.anthropic_sdk import Anthropic, AsyncAnthropic
from tests.matrix.clients.curl import Curl
from tests.matrix.clients.langchain import LangChainAnthropic, LangChainOpenAI
from tests.matrix.clients.litellm_sdk import LiteLLM
from tests.matrix.clients.openai_sdk import AsyncOpenAI, OpenAI

CLIENTS = {
    kind.name: kind
    for kind in (OpenAI, AsyncOpenAI, Anthropic, AsyncAnthropic, Curl, LangChainOpenAI, LangChainAnthropic, LiteLLM)
}
