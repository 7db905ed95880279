"""Settings and prices."""

from farthing.doctor.settings import prices, settings
from farthing.policy import Source
from farthing.policy.model import Prices
from farthing.prices.book import PriceBook

from .conftest import only, states


def test_where_they_come_from_and_what_does_nothing(tmp_path):
    config = tmp_path / "f.toml"
    config.write_text('mode = "save"\n[batch]\nenabled = true\n')
    source = Source({}, config)
    first, second = settings(source, source.read().policy)
    assert (first.state, first.found) == ("ok", f"mode save, from {config}")
    assert (second.state, second.found) == ("warn", "[batch] has no effect in this version")


def test_a_file_of_keys_that_others_can_read(tmp_path):
    keys = tmp_path / "keys.env"
    keys.write_text("OPENAI_API_KEY=sk-secret\n")
    source = Source({}, None, keys)
    keys.chmod(0o644)
    assert states(settings(source, source.read().policy)) == [("settings", "ok"), ("settings", "warn")]
    keys.chmod(0o600)
    assert states(settings(source, source.read().policy)) == [("settings", "ok")]


def test_the_age_of_the_prices(policy):
    taken = PriceBook.load().taken
    at = (taken.toordinal() - 719_163) * 86_400.0
    fresh, stale = only(prices(policy, at + 3 * 86_400)), only(prices(policy, at + 91 * 86_400))
    assert (fresh.state, fresh.found.endswith(f"taken over {taken} (3 days ago)")) == ("ok", True)
    assert (stale.state, "(91 days ago)" in stale.found) == ("warn", True)


def test_a_price_file_that_cannot_be_used(policy_of, tmp_path):
    path = tmp_path / "p.toml"
    found = only(prices(policy_of(prices=Prices(file=str(path))), 0.0))
    assert (found.state, "cannot be read" in found.found) == ("bad", True)
    path.write_text("[[price]]\nprovider = 1\n")
    assert only(prices(policy_of(prices=Prices(file=str(path))), 0.0)).state == "bad"
