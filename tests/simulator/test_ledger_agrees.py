"""What farthing's own wires read and its price book says is what the simulator bills, call by call."""

import aiohttp

from farthing.demo.sample import load_sample
from farthing.demo.traffic import make_traffic
from farthing.prices.book import PriceBook
from farthing.simulator import Simulator, standard_models
from farthing.simulator.billing import cost
from farthing.types import Usage
from farthing.wire.routes import wire_for

NOW = 1_795_000_000.0


def test_the_simulated_prices_are_those_of_the_price_book():
    book = PriceBook.load()
    usage = Usage(input=1001, cache_read=2003, output=307)
    for model in standard_models():
        used = usage if model.api == "anthropic" or not model.embedding else Usage(input=7)
        if model.api == "anthropic":
            used = Usage(input=1001, cache_read=2003, cache_write_5m=17, cache_write_1h=19, output=307)
        for name in (model.name, *model.aliases):
            assert book.price(model.api, model.api, name, used, NOW).cost_nano == cost(model.price, used), name
        if not model.embedding:
            assert book.context_window(model.api, model.api, model.name) >= min(model.context, 1_000_000)


async def test_every_reply_read_by_the_wires_and_priced_is_its_invoice_line():
    book = PriceBook.load()
    traffic = make_traffic(load_sample(), 3, NOW, requests=400)
    async with Simulator() as sim, aiohttp.ClientSession() as session:
        read = {}
        for request in traffic:
            wire = wire_for("POST", request.path)
            facts = wire.facts(request.body)
            async with session.post(sim.url + request.path, data=request.body, headers=request.headers) as reply:
                raw = await reply.read()
                request_id = reply.headers.get("x-request-id") or reply.headers["request-id"]
            if facts.stream:
                tap = wire.tap(facts)
                tap.feed(raw)
                outcome = tap.outcome(ended=True)
            else:
                outcome = wire.outcome(raw, 200)
            assert outcome.complete
            read[request_id] = (outcome, book.price(wire.api, wire.api, outcome.model, outcome.usage, request.ts))
        lines = {line.request_id: line for line in sim.invoice.lines}
    assert lines.keys() == read.keys()
    for key, (outcome, priced) in read.items():
        assert outcome.usage == lines[key].tokens
        assert outcome.model == lines[key].model
        assert priced.cost_nano == lines[key].nano_usd
