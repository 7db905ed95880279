"""A provider: where it is, how it is entered, and what sets it apart from the API that it is compatible with."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from farthing.types import Api

Auth = Literal["bearer", "x-api-key", "api-key", "none"]
"""How a key is sent: ``authorization: Bearer``, a header of that name, or not at all."""


class Quirks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What sets an endpoint apart from the API that it is compatible with. It counts where farthing writes a request
    itself; what a client has written for the endpoint goes through as it is.
    """

    limit_field: Literal["max_completion_tokens", "max_tokens"] = "max_tokens"
    """The field that limits a reply's length (OpenAI chat)."""
    developer_role: bool = False
    """Whether a ``developer`` may speak instead of the ``system`` (OpenAI chat)."""
    call_ids: Literal["any", "mistral"] = "any"
    """Ids of tool calls. ``mistral``: exactly nine letters and digits."""
    stream_options: bool = True
    """Whether a stream's usage may be asked for (OpenAI chat). If not, farthing does not ask, and estimates what no
    usage is reported for."""
    json_schema: Literal["native", "tool", "none"] | None = None
    """How models here keep to a JSON schema; without it as the model's own data say."""
    responses: bool = True
    """Whether it speaks OpenAI's responses API, too. If not, such a request is translated."""
    without: tuple[str, ...] = ()
    """Fields of a request that it refuses (``messages.name``: of its messages): farthing leaves them out, or sends the
    request elsewhere."""


VIA = re.compile(r"litellm/[a-z0-9_.-]+")
"""``via`` as it stands in a provider that has been read."""
LITELLM = "litellm://"
"""How the address of an endpoint begins that LiteLLM knows by itself."""


def scheme(kind: Api, auth: Auth | None) -> Auth:
    """How a key is sent to an endpoint of this kind that says this of it."""
    return auth or ("x-api-key" if kind == "anthropic" else "bearer")


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One endpoint that answers: a known one (``docs/providers.md``), of which only what differs has to be said, or any
    OpenAI- or Anthropic-compatible one.
    """

    base_url: str
    """OpenAI-compatible: with ``/v1``; Anthropic-compatible: without. Known providers have theirs; ``{region}`` and
    ``{resource}`` in it stand for the keys of these names."""
    kind: Api = "openai"
    """Which API it speaks."""
    api_key_env: str | None = None
    """The environment variable that holds its key, used when the client sends none or a virtual one."""
    models: tuple[str, ...] = ()
    """Models (with ``*``) that go here without a prefix; ``name/model`` always does."""
    base_urls: tuple[str, ...] = ()
    """More endpoints that serve the same models: load is spread over all, a conversation stays at one."""
    api_key_envs: tuple[str, ...] = ()
    """More variables with keys of this provider, each with rate limits of its own: load is spread likewise."""
    preset: str | None = None
    """The known provider whose data hold here; without it the one of the same name, if there is one."""
    auth: Auth | None = None
    """How its key is sent. Left out: ``bearer`` to OpenAI-compatible ones, ``x-api-key`` to Anthropic-compatible ones.
    ``none``: it takes no key, and gets none, not even the client's."""
    region: str | None = None
    """Fills ``{region}`` in ``base_url``."""
    resource: str | None = None
    """Fills ``{resource}`` in ``base_url``."""
    quirks: Quirks = Quirks()
    """What sets it apart from the API it speaks, see ``[providers.NAME.quirks]``."""
    via: str | None = None
    """``litellm``: LiteLLM speaks with it (``farthing[litellm]``) and ``base_url`` may be left out; chat only.
    ``litellm/NAME``: LiteLLM's name for it is another one than the table's."""

    def __post_init__(self) -> None:
        if self.via is not None and not VIA.fullmatch(self.via):
            raise ValueError(f'via: {self.via!r} is not allowed; allowed are "litellm" and "litellm/NAME"')
        if self.via is not None and self.kind != "openai":
            raise ValueError('via: LiteLLM is spoken to as kind = "openai"; leave kind out')
        for key, urls in (("base_url", (self.base_url,)), ("base_urls", self.base_urls)):
            for url in urls:
                if self.via is not None and url.startswith(LITELLM):
                    continue
                if not url.startswith(("http://", "https://")):
                    raise ValueError(f"{key}: {url!r} does not start with http:// or https://")
        if self.auth == "none" and (self.api_key_env or self.api_key_envs):
            key = "api_key_env" if self.api_key_env else "api_key_envs"
            raise ValueError(f'{key}: auth is "none", so no key is sent; say auth = "bearer" beside it')

    @property
    def scheme(self) -> Auth:
        """How its key is sent."""
        return scheme(self.kind, self.auth)


OPENAI = Provider(
    "https://api.openai.com/v1",
    "openai",
    "OPENAI_API_KEY",
    preset="openai",
    quirks=Quirks("max_completion_tokens", developer_role=True),
)
ANTHROPIC = Provider("https://api.anthropic.com", "anthropic", "ANTHROPIC_API_KEY", preset="anthropic")
BUILT_IN = {"openai": OPENAI, "anthropic": ANTHROPIC}
"""There without being configured."""
