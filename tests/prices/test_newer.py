import json

import msgspec
import pytest

from farthing.errors import PriceError
from farthing.prices import catalog, newer
from farthing.prices.book import PriceBook
from farthing.types import Usage

NOW = 1_795_600_000.0


def model(name, usd="1", **more):
    return {"id": name, "match": ["=", name], "periods": [{"prices": {"input": usd, "output": "2"}} | more]}


def baked(*models, source="genai-prices 9.9.9", provider="acme"):
    return json.dumps({"source": source, "shelves": [{"id": provider, "models": models}]}).encode()


def parsed(*models, **more):
    return newer.parse("x.json", baked(*models, **more))


def test_the_shipped_catalogue_is_right():
    shipped = catalog.load()
    assert newer.parse("catalog.json", msgspec.json.encode(shipped)).source == shipped.source
    assert newer.changes(shipped, shipped) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "no catalogue"),
        (b"[]", "no catalogue"),
        (baked(), None),
        (baked(source=" "), "names its source"),
        (json.dumps({"source": "x 1", "shelves": []}).encode(), "at least one provider"),
        (baked({"id": "m", "match": ["=", "m"], "periods": []}), "acme/m: it has no standard price"),
        (baked(model("m", "-1")), "acme/m.input: expected dollars"),
        (baked(model("m", "NaN")), "acme/m.input: expected dollars"),
        (baked(model("m", "much")), "acme/m.input: expected dollars"),
        (baked(model("m", [[5, "1"]])), "begin at 0"),
        (baked(model("m", prices={"colour": "1"})), "acme/m.colour: not a class"),
        (baked({"id": "m", "match": ["~", "("], "periods": [{"prices": {"input": "1"}}]}), "no catalogue"),
    ],
)
def test_bad_catalogue_is_refused_loudly(data, said):
    if said is None:
        assert newer.parse("x.json", data).shelves
        return
    with pytest.raises(PriceError, match=f"x.json.*{said}"):
        newer.parse("x.json", data)


def test_models_that_are_sold_no_more_keep_their_price():
    old = parsed(model("old", "7"), model("both", "1"))
    both = newer.merged(old, parsed(model("both", "3"), model("new", "4")))
    assert [one.id for one in both.shelves[0].entries] == ["both", "new", "old"]
    assert [(one.model, one.was and one.was["input"], one.becomes and one.becomes["input"]) for one in newer.changes(old, both)] == [
        ("both", "1", "3"),
        ("new", None, "4"),
    ]  # fmt: skip
    other = newer.merged(old, parsed(model("x"), provider="other"))
    assert [shelf.id for shelf in other.shelves] == ["other", "acme"]


def test_a_catalogue_that_has_lost_most_models_is_not_taken():
    with pytest.raises(PriceError, match="1 models, where 3 are known"):
        newer.merged(parsed(*map(model, "abc")), parsed(model("a")))


def test_a_newer_one_beside_the_ledger_counts_and_an_older_one_does_not(tmp_path):
    path = tmp_path / "farthing.db.prices.json"
    built_in = PriceBook.load(None, path)
    newer.write(path, parsed(model("brand-new")))
    book = PriceBook.load(None, path)
    assert book.source == "genai-prices 9.9.9"
    assert book.price("acme", "openai", "brand-new", Usage(input=10**6), NOW).cost_nano == 10**9
    newer.write(path, parsed(model("brand-new"), source="genai-prices 0.0.1"))
    assert PriceBook.load(None, path).source == built_in.source
    path.write_bytes(b"{")
    with pytest.raises(PriceError, match="no catalogue"):
        PriceBook.load(None, path)


def test_what_cannot_be_written_leaves_the_old_one(tmp_path):
    with pytest.raises(PriceError, match="the old prices stay"):
        newer.write(tmp_path / "nosuch" / "x.json", parsed(model("m")))
    assert not any(tmp_path.iterdir())
