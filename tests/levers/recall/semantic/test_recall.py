"""The stage with an encoder that counts words, and questions in a list: what is served, to whom, and what it claims."""

import re
from zlib import crc32

import pytest
from tests.recalled import PLAIN, USAGE, Provider, Shelf, ask, cost, recall

from farthing.exchange import Reply
from farthing.levers.recall.semantic.encoder import similarity
from farthing.levers.recall.semantic.questions import Found
from farthing.levers.recall.semantic.recall import Similar

ASKED = "How do I top up my card?"
AGAIN = "How do I top up my card, please?"


class Words:
    """An encoder: how often each of 64 classes of words occurs."""

    dimensions = 64
    window = 40

    def __init__(self, name="words-1"):
        self.id = name

    def encode(self, text):
        words = re.findall(r"\w+", text.lower())
        counts = bytearray(self.dimensions)
        for word in words:
            counts[crc32(word.encode()) % self.dimensions] += 1
        return bytes(counts) if 0 < len(words) <= self.window else None


class Listed:
    """Questions in a list; what is found is compared with all of its partition."""

    def __init__(self):
        self.entries, self.dropped = [], []

    def nearest(self, partition, vector, count, _now, *, least):
        found = [
            Found(number, similarity(vector, entry.vector), entry)
            for number, (room, entry) in enumerate(self.entries)
            if room == partition and number not in self.dropped and similarity(vector, entry.vector) >= least
        ]
        return sorted(found, key=lambda one: one.similarity, reverse=True)[:count]

    def add(self, partition, entry):
        self.entries.append((partition, entry))
        return True

    def drop(self, _partition, number):
        self.dropped.append(number)
        return True


class Broken:
    """Whatever is asked of it fails."""

    def __getattr__(self, name):
        raise OSError(name)


class House:
    """The stage and what it is made of."""

    def __init__(self, threshold=0.9, questions=None, encoder=None, **changes):
        self.shelf, self.provider = Shelf(), Provider()
        self.questions = questions or Listed()
        similar = Similar(self.questions, self.shelf, encoder or Words(), threshold)
        self.recall = recall(self.shelf, similar=similar, **changes)

    async def ask(self, question, **changes):
        """The tally of the request, and its reply."""
        fields = changes.pop("fields", {})
        body = {"model": "m", "messages": [{"role": "user", "content": question}], **fields}
        exchange = ask(body, **changes)
        reply = await self.recall.stage(exchange, self.provider)
        return exchange.tally, reply

    async def served(self, question, **changes):
        """How a question was answered."""
        return (await self.ask(question, **changes))[0].cache


async def test_paraphrase_hits_in_partition():
    house = House()
    assert await house.served(ASKED) == "miss"
    tally, reply = await house.ask(AGAIN)
    assert (tally.cache, reply.body, house.provider.calls) == ("semantic", PLAIN, 1)
    assert tally.similarity == pytest.approx(similarity(Words().encode(ASKED), Words().encode(AGAIN)))
    assert tally.served_model == "m-1"


async def test_the_same_words_are_an_exact_hit_and_no_similarity_is_told():
    house = House()
    await house.ask(ASKED)
    tally, _ = await house.ask(ASKED)
    assert (tally.cache, tally.similarity) == ("exact", None)


async def test_a_hit_by_meaning_saves_what_the_call_would_have_cost():
    house = House()
    await house.ask(ASKED)
    tally, _ = await house.ask(AGAIN, ts=1000.0 + 3000)
    assert tally.baseline_nano == cost(None, "m", USAGE)
    assert (tally.saved, tally.as_sent) == ([("semantic", tally.baseline_nano)], False)


@pytest.mark.parametrize(
    "other",
    [
        {"tenant": "b"},
        {"headers": [(b"anthropic-beta", b"x")]},
        {"fields": {"temperature": 1.5}},
        {"fields": {"response_format": {"type": "json_object"}}},
    ],
)
async def test_no_answer_crosses_partitions(other):
    house = House(threshold=-1.0)
    await house.ask(ASKED)
    assert await house.served(AGAIN, **other) == "miss"


async def test_users_share_nothing_where_they_are_kept_apart():
    house = House(per_user=True)
    await house.ask(ASKED, user="ann")
    assert [await house.served(AGAIN, user=user) for user in ("bob", "ann")] == ["miss", "semantic"]


async def test_distinct_questions_never_collapse():
    """However low the threshold is, not everything has the same answer."""
    house = House(threshold=0.0)
    questions = [
        "How do I top up my card with 20 euros?",
        "How do I top up my card with 50 euros?",
        "Why is grass green?",
    ]
    assert [await house.served(question) for question in questions] == ["miss"] * 3


async def test_polarity_and_direction_never_match():
    house = House(threshold=0.5)
    await house.ask("How do I turn the notifications on?")
    assert await house.served("How do I turn the notifications off?") == "miss"
    await house.ask("How do I migrate from MySQL to PostgreSQL?")
    assert await house.served("How do I migrate from PostgreSQL to MySQL?") == "miss"


async def test_one_that_a_literal_forbids_does_not_hide_the_one_behind():
    house = House()
    await house.ask("How do I top up my card with 20 euros by post?")
    await house.ask("How do I top up my card with 50 euros by post?")
    tally, _ = await house.ask("How do I top up my card with 20 euros by post, please?")
    assert (tally.cache, house.provider.calls) == ("semantic", 2)


async def test_higher_threshold_is_stricter():
    near = similarity(Words().encode(ASKED), Words().encode(AGAIN))
    found = {}
    for threshold in (near - 0.01, near, near + 0.01):
        house = House(threshold)
        await house.ask(ASKED)
        found[threshold] = await house.served(AGAIN)
    assert list(found.values()) == ["semantic", "semantic", "miss"]


async def test_threshold_zero_and_one_are_honoured():
    loose, strict = House(threshold=0.0), House(threshold=1.0)
    for house in (loose, strict):
        await house.ask(ASKED)
    assert (await loose.served(AGAIN), await strict.served(AGAIN)) == ("semantic", "miss")


async def test_text_past_encoder_window_bypasses_semantic():
    """Two long texts with the same beginning are the same to an encoder that cuts."""
    house = House(threshold=0.0)
    long = ASKED + " It is blue." * 20
    assert [await house.served(long + end) for end in ("", " And round.")] == ["miss", "miss"]
    assert house.questions.entries == []


async def test_encoder_change_never_matches_old_entries():
    house = House()
    await house.ask(ASKED)
    newer = House(questions=house.questions, encoder=Words("words-2"))
    newer.shelf.answers = house.shelf.answers
    assert await newer.served(AGAIN) == "miss"


async def test_what_the_gate_refuses_is_neither_looked_up_nor_kept():
    house = House(threshold=0.0)
    await house.ask(ASKED)
    assert await house.served("What is my balance?") == "off"
    assert len(house.questions.entries) == 1


@pytest.mark.parametrize(
    "reply",
    [PLAIN.replace(b'"stop"', b'"length"'), PLAIN.replace(b'"stop"', b'"content_filter"'), b'{"error":{}}'],
)
async def test_only_whole_and_safe_answers_are_remembered(reply):
    house = House()
    house.provider.reply = reply
    await house.ask(ASKED)
    assert house.questions.entries == []
    assert await house.served(AGAIN) == "miss"


async def test_wishes_of_the_request_are_granted():
    house = House()
    assert await house.served(ASKED, wish="no-store") == "off"
    assert house.questions.entries == []
    assert await house.served(ASKED, wish="no-cache") == "miss"
    assert await house.served(AGAIN, wish="no-cache") == "miss"
    assert await house.served(AGAIN, wish="no-store") == "off"
    assert house.provider.calls == 4
    assert len(house.questions.entries) == 2


async def test_a_hit_is_streamed_to_who_asks_for_a_stream():
    house = House()
    await house.ask(ASKED)
    tally, reply = await house.ask(AGAIN, fields={"stream": True})
    written = []

    async def write(chunk):
        written.append(chunk)

    assert tally.cache == "semantic"
    await reply.pump(write)
    stream = b"".join(written)
    assert b'"So."' in stream
    assert stream.endswith(b"data: [DONE]\n\n")


async def test_a_question_whose_answer_is_gone_is_forgotten():
    house = House()
    await house.ask(ASKED)
    house.shelf.answers.clear()
    assert await house.served(AGAIN) == "miss"
    assert house.questions.dropped == [0]


@pytest.mark.parametrize("broken", [{"questions": Broken()}, {"encoder": Broken()}])
async def test_failures_cost_no_request_and_are_counted(broken):
    house = House(**broken)
    for question in (ASKED, AGAIN):
        tally, reply = await house.ask(question)
        assert (tally.cache, reply) == ("miss", Reply(200, [], PLAIN))
    assert house.recall.failures >= 2


async def test_observe_says_what_would_have_been_saved_and_serves_nothing():
    house = House()
    tallies = []
    for question in (ASKED, AGAIN, AGAIN):
        tally, _ = await house.ask(question, mode="observe")
        tallies.append((tally.cache, tally.would_cache, [lever for lever, _ in tally.would_save]))
    assert tallies == [("off", "miss", []), ("off", "semantic", ["semantic"]), ("off", "semantic", ["semantic"])]
    assert house.provider.calls == 3
    assert await house.served(AGAIN) == "miss"  # what was only observed has no answer to give
