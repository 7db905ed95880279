"""A logger of LiteLLM's: every call is in the ledger when it has ended."""

from __future__ import annotations

import atexit
import logging
import os
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER
from typing_extensions import override

from farthing.litellm.telling import is_cache_hit, told_of
from farthing.outside.books import Recorder, shared
from farthing.policy import Policy

log = logging.getLogger("farthing")

REMEMBERED = 10_000
"""Ids of calls: LiteLLM may tell of one twice."""


class FarthingLogger(CustomLogger):
    """``litellm.callbacks = [FarthingLogger()]``, also in ``litellm_settings: callbacks`` of its proxy.

    Tokens are the provider's, prices farthing's. Who asks: ``user``, and ``metadata`` with ``user``, ``feature``,
    ``session``, ``tenant``; other texts of it and ``tags`` are tags. A call through farthing's gateway is recorded
    there: do not use both.
    """

    def __init__(self, *, config: str | os.PathLike[str] | Policy | None = None, books: Recorder | None = None) -> None:
        """Raises ``ConfigError``."""
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - it takes anything
        self._books: Recorder = books or shared(config)
        self._told: OrderedDict[object, None] = OrderedDict()
        # Before our own end: what an event loop had no time to tell LiteLLM tells when the interpreter ends.
        if (last := getattr(GLOBAL_LOGGING_WORKER, "_flush_on_exit", None)) is not None:
            atexit.register(last)

    @override
    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._tell(kwargs, response_obj, start_time, end_time)

    @override
    def log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._tell(kwargs, response_obj, start_time, end_time)

    @override
    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._tell(kwargs, response_obj, start_time, end_time)

    @override
    async def async_log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._tell(kwargs, response_obj, start_time, end_time)

    def _tell(self, kwargs: Mapping[str, Any], response: object, start: datetime, end: datetime) -> None:
        try:
            if not self._is_new(kwargs.get("litellm_call_id")):
                return
            told = told_of(kwargs, response, start, end)
            self._books.cached(told, LEVER) if is_cache_hit(kwargs) else self._books.record(told)
        except Exception:
            log.exception("a call of LiteLLM's is not in the ledger")

    def _is_new(self, call_id: object) -> bool:
        if call_id is None:
            return True
        if call_id in self._told:
            return False
        self._told[call_id] = None
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        return True


LEVER = "litellm"
"""Its own cache, in the ledger."""
