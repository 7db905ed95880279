"""What a client sees is in the journal, and one write of the journal is enough for all replies of a turn."""

import asyncio

from farthing.gateway.outbox import Outbox
from farthing.ledger.records import Opened
from farthing.types import Caller


async def test_what_is_to_be_written_before_is_written_once_for_all_of_a_turn():
    seen = []
    outbox = Outbox(lambda: seen.append("before"))
    outbox.put(lambda: seen.append(1))
    outbox.put(lambda: seen.append(2))
    assert seen == []
    await asyncio.sleep(0)
    assert seen == ["before", 1, 2]
    await asyncio.sleep(0)
    assert seen == ["before", 1, 2]


async def test_who_puts_something_in_while_it_is_emptied_has_the_next_turn():
    seen = []
    outbox = Outbox(lambda: seen.append("before"))
    outbox.put(lambda: outbox.put(lambda: seen.append("later")))
    await asyncio.sleep(0)
    assert seen == ["before"]
    await asyncio.sleep(0)
    assert seen == ["before", "before", "later"]


async def test_woken_with_nothing_to_send_it_does_what_comes_before():
    seen = []
    outbox = Outbox(lambda: seen.append("before"))
    outbox.wake()
    outbox.wake()
    await asyncio.sleep(0)
    assert seen == ["before"]


async def test_one_that_fails_keeps_nobody_else_waiting(caplog):
    seen = []
    outbox = Outbox()
    outbox.put(lambda: 1 / 0)
    outbox.put(lambda: seen.append("sent"))
    await asyncio.sleep(0)
    assert seen == ["sent"]
    assert "could not be sent" in caplog.text


async def test_entries_wait_only_where_replies_do(house):
    """A server that sends at once, and knows nothing of the outbox, finds each entry written."""
    journal = house.app.runtime.journal
    journal.append(Opened("fr_1", 1.0, Caller(), "openai.chat", "/v1/chat/completions"))
    assert [one.id for one in house.opened] == ["fr_1"]
    await house.ask("GET", "/healthz")
    journal.append(Opened("fr_2", 1.0, Caller(), "openai.chat", "/v1/chat/completions"))
    assert [one.id for one in house.opened] == ["fr_1"]
    await asyncio.sleep(0)
    assert [one.id for one in house.opened] == ["fr_1", "fr_2"]
