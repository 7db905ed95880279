"""What a prompt cache reads and writes, as the providers document it."""

import pytest

LONG = "The rules of the house are many and must be read. " * 250  # about 3,000 tokens
CLAUDE = "claude-3-5-sonnet-20241022"


def system(text=LONG, ttl=None):
    control = {"type": "ephemeral"} | ({"ttl": ttl} if ttl else {})
    return [{"type": "text", "text": text, "cache_control": control}]


async def cached(lab, *, ts, **kwargs):
    status, _, reply = await lab.chat(ts=ts, **kwargs)
    assert status == 200
    return reply["usage"]["prompt_tokens_details"]["cached_tokens"]


async def usage(lab, **kwargs):
    status, _, reply = await lab.message(**kwargs)
    assert status == 200, reply
    used = reply["usage"]
    return used["cache_read_input_tokens"], used["cache_creation_input_tokens"], used["input_tokens"]


def asked(question, rules=LONG):
    return [{"role": "system", "content": rules}, {"role": "user", "content": question}]


class TestAutomatic:
    async def test_the_same_prefix_is_read_in_steps_of_128(self, lab):
        assert await cached(lab, ts=0, messages=asked("one")) == 0
        read = await cached(lab, ts=60, messages=asked("two"))
        assert read >= 1024
        assert (read - 1024) % 128 == 0
        line = lab.sim.invoice.lines[-1]
        assert line.tokens.cache_read == read
        assert line.tokens.input + read == lab.sim.invoice.lines[0].tokens.input

    async def test_short_prompts_are_never_read(self, lab):
        for ts in (0, 1):
            assert await cached(lab, ts=ts, messages=asked("one", "Be short. " * 100)) == 0

    async def test_a_prefix_goes_cold_after_its_last_use(self, lab):
        await cached(lab, ts=0, messages=asked("one"))
        assert await cached(lab, ts=440, messages=asked("two"))
        assert await cached(lab, ts=880, messages=asked("three"))
        assert await cached(lab, ts=1400, messages=asked("four")) == 0

    @pytest.mark.parametrize(
        "change",
        [
            {"model": "gpt-4o-mini"},
            {"prompt_cache_key": "other"},
            {"messages": asked("two", "A" + LONG)},
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]},
        ],
    )
    async def test_another_model_key_or_beginning_is_another_prefix(self, lab, change):
        await cached(lab, ts=0, messages=asked("one"))
        assert await cached(lab, ts=1, **({"messages": asked("two")} | change)) == 0

    async def test_the_entry_of_a_later_request_is_not_seen_by_an_earlier_one(self, lab):
        await cached(lab, ts=100, messages=asked("one"))
        assert await cached(lab, ts=90, messages=asked("two")) == 0


class TestBreakpoints:
    async def test_nothing_is_cached_without_a_marker(self, lab):
        for ts in (0, 1):
            assert (await usage(lab, ts=ts, system=LONG))[:2] == (0, 0)

    async def test_write_then_read_then_cold(self, lab):
        read, written, rest = await usage(lab, ts=0, system=system())
        assert (read, written > 1024, rest > 0) == (0, True, True)
        assert await usage(lab, ts=299, system=system()) == (written, 0, rest)
        assert await usage(lab, ts=299 + 299, system=system()) == (written, 0, rest), "a read renews"
        assert await usage(lab, ts=299 + 299 + 301, system=system()) == (0, written, rest)

    async def test_an_hour_costs_another_class(self, lab):
        await usage(lab, ts=0, system=system(ttl="1h"))
        assert lab.sim.invoice.lines[0].tokens.cache_write_1h > 1024
        assert lab.sim.invoice.lines[0].tokens.cache_write_5m == 0
        assert (await usage(lab, ts=3599, system=system(ttl="1h")))[1] == 0

    async def test_below_the_minimum_of_the_model_nothing_happens(self, lab):
        assert (await usage(lab, ts=0, system=system("Be short.")))[:2] == (0, 0)
        read, written, _ = await usage(lab, ts=0, system=system(), model="claude-haiku-4-5")
        assert (read, written) == (0, 0), "3,000 tokens are below the 4,096 of claude-haiku-4-5"

    async def test_a_growing_conversation_reads_what_it_wrote(self, lab):
        turns = [{"role": "user", "content": LONG}]
        _, first, _ = await usage(lab, ts=0, messages=turns, cache_control={"type": "ephemeral"})
        turns += [{"role": "assistant", "content": "Yes."}, {"role": "user", "content": "And then?"}]
        read, second, _ = await usage(lab, ts=1, messages=turns, cache_control={"type": "ephemeral"})
        assert read == first
        assert 0 < second < 30

    async def test_a_marker_looks_20_blocks_back(self, lab):
        many = [{"type": "text", "text": f"part {n}"} for n in range(25)]
        await usage(lab, ts=0, system=system())
        mark = {"type": "text", "text": "end", "cache_control": {"type": "ephemeral"}}
        messages = [{"role": "user", "content": [*many, mark]}]
        plain = [{"type": "text", "text": LONG}]
        assert (await usage(lab, ts=1, system=plain, messages=messages))[0] == 0
        messages = [{"role": "user", "content": [*many[:10], mark]}]
        assert (await usage(lab, ts=1, system=plain, messages=messages))[0] > 1024

    async def test_tool_choice_spoils_the_messages_but_not_the_system_prompt(self, lab):
        tools = [{"name": "f", "input_schema": {"type": "object"}}]
        content = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
        body = {"system": system(), "tools": tools, "messages": [{"role": "user", "content": content}]}
        _, written, _ = await usage(lab, ts=0, **body)
        read, again, _ = await usage(lab, ts=1, **body, tool_choice={"type": "any"})
        assert read > 1024
        assert again > 1024
        assert read + again == written

    async def test_five_markers_are_refused_and_a_late_hour(self, lab):
        part = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
        status, _, reply = await lab.message(messages=[{"role": "user", "content": [part] * 5}])
        assert (status, reply["error"]["type"]) == (400, "invalid_request_error")
        assert "Found 5" in reply["error"]["message"]
        hour = part | {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
        status, _, reply = await lab.message(messages=[{"role": "user", "content": [part, hour]}])
        assert status == 400
        assert "must not come after" in reply["error"]["message"]
