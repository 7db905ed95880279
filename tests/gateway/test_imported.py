"""A file made from LiteLLM's serves."""

import yaml

from farthing.imports.litellm_config import sheet_of
from farthing.policy import load_policy

CONFIG = """
model_list:
  - model_name: smart
    litellm_params: {{model: openai/gpt-4o, api_base: "{url}", api_key: os.environ/SIM_KEY}}
  - model_name: claude
    litellm_params: {{model: anthropic/claude-haiku-4-5, api_base: "{bare}", api_key: os.environ/SIM_KEY}}
router_settings: {{fallbacks: [{{smart: [gpt-4o-mini]}}]}}
"""


async def test_a_file_made_from_litellm_s_serves(start, sim, tmp_path):
    config = CONFIG.format(url=sim.openai_url, bare=sim.url)
    path = tmp_path / "farthing.toml"
    path.write_text(sheet_of(yaml.safe_load(config), "config.yaml").toml())
    policy = load_policy(path, {})
    own = {name: one for name, one in policy.providers.items() if "sim" in (one.api_key_env or "").lower()}
    house = await start(
        sim,
        providers=own,
        aliases=policy.aliases,
        fallback=policy.fallback,
        mode=policy.mode,
        environ={"SIM_KEY": "sk-sim", "OPENAI_API_KEY": "sk-sim", "ANTHROPIC_API_KEY": "sk-sim"},
    )
    spoken = await house.say(model="smart", headers={"authorization": None})
    assert spoken.status == 200, spoken.body
    assert spoken.get("x-farthing-model").startswith("gpt-4o")
    claude = await house.say(path="/v1/messages", model="claude", headers={"x_api_key": None})
    assert claude.status == 200, claude.body
    assert [(row.model, row.calls[0].model, row.status) for row in house.rows] == [
        ("smart", "gpt-4o", 200),
        ("claude", "claude-haiku-4-5", 200),
    ]
    assert {row.provider for row in house.rows} == set(own)
    assert all(row.cost_nano for row in house.rows)
