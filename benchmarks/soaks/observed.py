"""``farthing`` that tells what cannot be seen from outside, when it is asked by a signal; else it is as it is.

SIGUSR1: the asyncio tasks. SIGUSR2: also how many objects of requests there still are, after a collection. The answer
is a line of JSON at the end of the file that ``SOAK_TELLS`` names.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
from collections import Counter

KEPT = ("Exchange", "Reply", "Attempt", "Permit", "Ask", "Http1Response")
"""What there is of a request only while it lasts."""


def tell(number: int, _frame: object) -> None:
    try:
        tasks = len(asyncio.all_tasks())
    except RuntimeError:  # between two events of the loop
        tasks = None
    told = {"tasks": tasks, "signal": number}
    if number == signal.SIGUSR2:
        gc.collect()
        kinds = [type(one) for one in gc.get_objects()]
        found = Counter(kind.__name__ for kind in kinds if str(kind.__module__).startswith("farthing."))
        told["kept"] = {name: found[name] for name in KEPT if found[name]}
    with open(os.environ["SOAK_TELLS"], "a") as out:  # noqa: PTH123 - a signal handler: as little as can be
        out.write(json.dumps(told) + "\n")


def main() -> None:
    signal.signal(signal.SIGUSR1, tell)
    signal.signal(signal.SIGUSR2, tell)
    from farthing.cli import main as farthing

    farthing()


if __name__ == "__main__":
    main()
