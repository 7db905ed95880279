"""Virtual time (``virtual.py``): the queues run for minutes, the tests for milliseconds."""

import asyncio
import gc
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.virtual import now, run

from farthing.errors import RateLimited
from farthing.limits.gate import MOST_ACCOUNTS, Gates
from farthing.limits.rates import Load
from farthing.policy.model import Rates


def gates(workers=1, **rates):
    tables = {name.replace("__", "/"): Rates(**one) for name, one in rates.items()}
    return Gates(tables, workers, asyncio.get_running_loop().time)


def one_a_second(**more):
    return gates(openai={"requests_per_minute": 60, "wait": "10m"} | more)


async def spread(gate, calls, *, cancel=frozenset(), deadline=None):
    """Calls of (after seconds, tenant, tokens), each its own task. Those of ``cancel`` give up after so many seconds.
    Returns what became of each: (when, outcome)."""

    async def one(number, after, tenant, tokens):
        await asyncio.sleep(after)
        begun = now()
        try:
            async with asyncio.timeout(dict(cancel).get(number)):
                permit = await gate.admit(tenant, tokens, None if deadline is None else begun + deadline)
        except TimeoutError:
            return now(), "cancelled", begun
        except RateLimited:
            return now(), "refused", begun
        permit.settle(None)
        return now(), "admitted", begun

    return await asyncio.gather(*(one(number, *call) for number, call in enumerate(calls)))


CALLS = st.lists(st.tuples(st.floats(0, 20), st.sampled_from("abc"), st.integers(0, 300)), min_size=1, max_size=40)


@settings(max_examples=60)
@given(CALLS, st.integers(6, 300), st.integers(300, 6000), st.integers(0, 10))
def test_never_more_than_the_limit_in_any_window(calls, rpm, tpm, burst):
    async def main():
        gate = gates(
            openai={
                "requests_per_minute": rpm, "tokens_per_minute": tpm, "burst": f"{burst}s", "burst_tokens": f"{burst}s",
                "wait": "24h",
            }
        ).for_call("openai", 0, "gpt-4o")  # fmt: skip
        ends = await spread(gate, calls)
        assert {outcome for _, outcome, _ in ends} == {"admitted"}
        taken = sorted((when, tokens) for (when, _, _), (_, _, tokens) in zip(ends, calls, strict=True))
        at_once = max(burst * tpm / 60, *(tokens for _, tokens in taken), 1)
        for first, (begin, _) in enumerate(taken):
            for last in range(first, len(taken)):
                length = taken[last][0] - begin
                assert last + 1 - first <= max(1, burst * rpm / 60) + length * rpm / 60 + 1e-6
                assert sum(n for _, n in taken[first : last + 1]) <= at_once + length * tpm / 60 + 1e-6

    run(main())


@settings(max_examples=60)
@given(CALLS, st.dictionaries(st.integers(0, 39), st.floats(0, 15)), st.integers(0, 3), st.floats(0, 12))
def test_every_ending_leaves_nothing_behind(calls, cancelled, queue, deadline):
    """Conservation: admitted, refused or cancelled, at the end nobody waits and every limit is whole again. Nobody
    waits past a deadline, and the calls of a tenant go in order."""

    async def main():
        all_gates = gates(
            openai={"requests_per_minute": 30, "tokens_per_minute": 900, "queue": queue, "wait": "10s"},
            openai__gpt={"tokens_per_minute": 600},
        )
        gate = all_gates.for_call("openai", 0, "gpt")
        ends = await spread(gate, calls, cancel=cancelled.items(), deadline=deadline)
        assert all(when - begun <= min(deadline, 10) + 0.002 for when, _, begun in ends)
        for tenant in "abc":
            mine = sorted((begun, when) for (when, how, begun), call in zip(ends, calls, strict=True)
                          if call[1] == tenant and how == "admitted")  # fmt: skip
            begins = [begun for begun, _ in mine]
            if len(set(begins)) == len(begins):
                assert [when for _, when in mine] == sorted(when for _, when in mine)
        await asyncio.sleep(3600)
        account = gate._account
        assert (all_gates.waiting, all_gates.out, account._timer, account._deadlines) == (0, 0, None, [])
        assert account.is_idle()
        assert not gate.lane._queues

    run(main())


async def test_what_is_not_limited_has_no_gate():
    some = gates(openai={"requests_per_minute": 60}, **{"groq__llama-*": {"tokens_per_minute": 1}})
    assert some.for_call("anthropic", 0, "claude") is None
    assert some.for_call("groq", 0, "mixtral") is None
    assert some.for_call("groq", 0, None) is None
    assert some.for_call("groq", 0, "llama-3") is not None
    assert some.for_call("openai", 0, None) is some.for_call("openai", 0, "gpt-4o")


def test_each_key_has_limits_of_its_own():
    async def main():
        some = one_a_second()
        for key in (0, 1, b"a client's own"):
            await some.for_call("openai", key, "gpt-4o").admit("t", 1)
        assert now() == 1000
        await some.for_call("openai", 1, "other").admit("t", 1)
        assert now() == pytest.approx(1001, abs=0.01)

    run(main())


def test_each_tenant_gets_its_share():
    """Two tenants, one with ten times as many calls: while both wait, they get the same, give or take one."""

    async def main():
        gate = one_a_second().for_call("openai", 0, "gpt-4o")
        ends = await spread(gate, [(0, "crowd", 1)] * 200 + [(0.5, "few", 1)] * 20)
        last = max(when for (when, _, _) in ends[200:])
        got = Counter("crowd" if number < 200 else "few" for number, end in enumerate(ends) if 1000.5 < end[0] <= last)
        assert abs(got["crowd"] - got["few"]) <= 1

    run(main())


def test_the_wait_is_known_at_once():
    async def main():
        gate = one_a_second(wait="5s").for_call("openai", 0, "gpt-4o")
        ends = await spread(gate, [(0, "a", 1)] * 20)
        assert Counter(outcome for _, outcome, _ in ends) == {"admitted": 6, "refused": 14}
        assert {when for when, outcome, _ in ends if outcome == "refused"} == {1000}

    run(main())


def test_a_full_queue_refuses_with_retry_after():
    async def main():
        gate = one_a_second(queue=2).for_call("openai", 0, "gpt-4o")
        await gate.admit("a", 1)
        waiting = [asyncio.ensure_future(gate.admit("a", 1)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RateLimited, match=r'\[rates\."openai"\] is used up: 2 calls wait') as refused:
            await gate.admit("a", 1)
        assert (refused.value.status, refused.value.code) == (429, "farthing_rate_limited")
        assert refused.value.headers == [(b"retry-after", b"3"), (b"retry-after-ms", b"3000")]
        assert gate.ready_in("a", 1) == float("inf")
        assert gate.ready_in("other", 1) == 1
        waiting.append(asyncio.ensure_future(gate.admit("other", 1)))
        await asyncio.gather(*waiting)

    run(main())


def test_who_is_overtaken_is_told_at_the_deadline():
    """When it came it could be in time; then other tenants came, and their turn was first."""

    async def main():
        gate = one_a_second(wait="60s").for_call("openai", 0, "gpt-4o")
        await gate.admit("a", 1)
        mine = [asyncio.ensure_future(gate.admit("a", 1, now() + 3.5)) for _ in range(3)]
        await asyncio.sleep(0)
        others = [asyncio.ensure_future(gate.admit("b", 1)) for _ in range(3)]
        ends = await asyncio.gather(*mine, *others, return_exceptions=True)
        assert [isinstance(end, RateLimited) for end in ends] == [False, False, True, False, False, False]
        assert now() == pytest.approx(1005, abs=0.02)

    run(main())


def test_no_phantom_reservation():
    """Who gives up while it waits holds nothing: the next one goes when the first of them would have gone."""

    async def main():
        gate = one_a_second().for_call("openai", 0, "gpt-4o")
        await gate.admit("a", 1)
        ghosts = [asyncio.ensure_future(gate.admit("a", 1)) for _ in range(50)]
        await asyncio.sleep(0.5)
        for ghost in ghosts:
            ghost.cancel()
        await asyncio.gather(*ghosts, return_exceptions=True)
        assert gate._account._timer is None
        await gate.admit("a", 1)
        assert now() == pytest.approx(1001, abs=0.01)

    run(main())


def test_a_permit_and_a_cancellation_may_cross():
    async def main():
        some = one_a_second()
        gate = some.for_call("openai", 0, "gpt-4o")
        await gate.admit("a", 1)
        task = asyncio.ensure_future(gate.admit("a", 1))
        await asyncio.sleep(0.5)
        gate.meters[0].take(now(), Load(-1, 0))
        gate._account.pump()  # it has its permit, and does not know yet
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (some.waiting, some.out) == (0, 1)
        assert gate.ready_in("a", 1) == 0

    run(main())


def test_a_permit_ends_once():
    async def main():
        some = gates(openai={"tokens_per_minute": 600, "burst_tokens": "10s"})
        gate = some.for_call("openai", 0, "gpt-4o")
        permit = await gate.admit("a", 100)
        assert gate.ready_in("a", 100) == 10
        permit.settle(30)
        assert gate.ready_in("a", 100) == pytest.approx(3)
        permit.settle(0)
        permit.release()
        assert gate.ready_in("a", 100) == pytest.approx(3)
        assert some.out == 0
        (await gate.admit("a", 10)).settle(None)
        assert gate.ready_in("a", 100) == pytest.approx(4)

    run(main())


def test_what_is_given_back_lets_the_next_go():
    async def main():
        gate = gates(openai={"tokens_per_minute": 600, "burst_tokens": "10s"}).for_call("openai", 0, "gpt-4o")
        permit = await gate.admit("a", 100)
        following = asyncio.ensure_future(gate.admit("a", 50))
        await asyncio.sleep(1)
        permit.release()
        await following
        assert now() == 1001

    run(main())


def test_an_estimate_that_was_too_low_is_made_up_for():
    async def main():
        gate = gates(openai={"tokens_per_minute": 600, "burst_tokens": "10s"}).for_call("openai", 0, "gpt-4o")
        (await gate.admit("a", 10)).settle(300)
        await gate.admit("a", 10)
        assert now() == pytest.approx(1021, abs=0.01)

    run(main())


def test_a_model_that_waits_does_not_stop_the_others():
    async def main():
        some = gates(
            openai={"requests_per_minute": 600, "wait": "10m"}, **{"openai__gpt-4o*": {"requests_per_minute": 6}}
        )
        large, small = (some.for_call("openai", 0, name) for name in ("gpt-4o", "gpt-3.5"))
        slow = [asyncio.ensure_future(large.admit("a", 1)) for _ in range(3)]
        await spread(small, [(0, "a", 1)] * 50)
        assert now() < 1007
        await asyncio.gather(*slow)
        assert now() == pytest.approx(1020, abs=0.2)

    run(main())


def test_small_calls_do_not_starve_a_large_one():
    """Of two models under one limit of tokens: small ones always fit, and would go before the large one for ever."""

    async def main():
        some = gates(
            openai={"tokens_per_minute": 6000, "burst_tokens": "10s", "wait": "10m"},
            openai__large={"requests_per_minute": 600},
        )
        large, small = (some.for_call("openai", 0, name) for name in ("large", "small"))
        (await small.admit("a", 1000)).settle(None)
        big = asyncio.ensure_future(large.admit("b", 900))
        await asyncio.sleep(0)
        steady = asyncio.ensure_future(spread(small, [(number * 0.1, "a", 10) for number in range(600)]))
        await big
        assert now() == pytest.approx(1009, abs=0.3)
        await steady

    run(main())


def test_clients_own_keys_are_forgotten_when_nothing_is_used():
    async def main():
        some = one_a_second()
        for number in range(3 * MOST_ACCOUNTS):
            (await some.for_call("openai", b"%d" % number, "gpt-4o").admit("a", 1)).settle(1)
            await asyncio.sleep(0.01)
        assert len(some._accounts) <= MOST_ACCOUNTS
        held = await some.for_call("openai", b"held", None).admit("a", 1)
        await asyncio.sleep(60)
        some._most = 0
        some.for_call("openai", b"one more", None)
        assert list(some._accounts) == [("openai", b"held"), ("openai", b"one more")]
        held.release()

    run(main())


def test_workers_share_by_dividing():
    async def main():
        gate = gates(4, openai={"requests_per_minute": 240, "queue": 10, "wait": "60s"}).for_call("openai", 0, "gpt-4o")
        ends = await spread(gate, [(0, "a", 1)] * 6)
        assert Counter(outcome for _, outcome, _ in ends) == {"admitted": 4, "refused": 2}
        assert now() == pytest.approx(1003, abs=0.02)

    run(main())


def test_nothing_runs_while_nobody_waits():
    async def main():
        gate = one_a_second().for_call("openai", 0, "gpt-4o")
        await gate.admit("a", 1)
        assert len(asyncio.all_tasks()) == 1
        assert gate._account._timer is None
        waiting = asyncio.ensure_future(gate.admit("a", 1))
        await asyncio.sleep(0)
        assert gate._account._timer is not None
        await waiting
        assert gate._account._timer is None
        gc.collect()

    run(main())
