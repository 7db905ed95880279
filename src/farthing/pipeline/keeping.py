"""``python -m farthing.pipeline.keeping``: the keeper of the ledger, with the miner of query types."""

from __future__ import annotations

import sys

from farthing.insight.query_types import Miner
from farthing.ledger.keeper import main

if __name__ == "__main__":
    sys.exit(main(miner_of=Miner.load))
