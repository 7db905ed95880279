"""The families of providers: whoever is known to farthing. A new one in its data is in the matrix by itself."""

from typing import NamedTuple

from farthing.policy.presets import Preset, presets
from farthing.policy.provider import Provider
from farthing.simulator.dialects import dialects

MODELS = {"openai": "gpt-4o", "anthropic": "claude-haiku-4-5"}
"""A model at the simulator, by the API that is spoken."""
DIALECTS = {dialect.name: dialect for dialect in dialects()}
"""Simulated with what sets them apart; the others are as OpenAI or Anthropic."""


class Family(NamedTuple):
    """A provider."""

    name: str
    preset: Preset

    @property
    def kind(self):
        return self.preset.kind

    @property
    def model(self):
        """As a client asks for it."""
        return f"{self.name}/{MODELS[self.kind]}"

    @property
    def key_env(self):
        return self.preset.api_key_env

    def provider(self, sim):
        """As settings have it, with the simulator's address."""
        if self.name in DIALECTS:
            place = {"base_url": f"{sim.url}/dialects/{self.name}/v1"}
        else:
            place = {"base_url": sim.openai_url if self.kind == "openai" else sim.url, "auth": None}
        return Provider(**self.preset.defaults() | place | {"preset": self.name})

    @property
    def has_own_errors(self):
        """Its errors do not look like OpenAI's."""
        return self.name in DIALECTS and DIALECTS[self.name].errors != "openai"

    def is_native(self, wire):
        """Whether it speaks this wire, so that nothing is translated."""
        if self.kind == "anthropic":
            return wire == "messages"
        return wire == "chat" or (wire == "responses" and self.preset.quirks.responses)


FAMILIES = {name: Family(name, preset) for name, preset in presets().items()}
