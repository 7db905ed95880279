"""Any sentence encoder in ONNX from a folder: onnxruntime and tokenizers, from the extra ``farthing[onnx]``.

The folder is as sentence encoders are published: ``model.onnx`` (or ``onnx/model.onnx``), ``tokenizer.json`` and, where
they are there, ``1_Pooling/config.json`` and ``sentence_bert_config.json``. Nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from farthing.levers.recall.semantic.static import LARGEST

WINDOW = 256
"""Pieces, where the folder does not say."""


class Encoding(Protocol):
    """What tokenizers makes of a text."""

    ids: Sequence[int]


class Tokenizer(Protocol):
    """tokenizers' own."""

    def encode(self, sequence: str) -> Encoding: ...


class Named(Protocol):
    """An input of a model."""

    name: str


class Session(Protocol):
    """onnxruntime's, as far as it is used."""

    def get_inputs(self) -> Sequence[Named]: ...
    def run(self, output_names: None, input_feed: Mapping[str, Any]) -> Sequence[Any]: ...


class Manner(NamedTuple):
    """How a model wants to be read."""

    window: int = WINDOW
    first: bool = False
    """The first piece's vector stands for the text, not the mean of all."""


class OnnxEncoder:
    """Implements ``Encoder``. May be used by many threads. Milliseconds, not microseconds."""

    def __init__(self, session: Session, tokenizer: Tokenizer, name: str, manner: Manner) -> None:
        self._session, self._tokenizer, self._manner = session, tokenizer, manner
        self._np: Any = import_module("numpy")
        self._inputs = frozenset(one.name for one in session.get_inputs())
        self.id = f"onnx-{name}"
        self.dimensions = len(self._vector(tokenizer.encode("a").ids))

    def encode(self, text: str) -> bytes | None:
        """See ``Encoder``."""
        ids = self._tokenizer.encode(text).ids
        if not text.strip() or len(ids) > self._manner.window:
            return None
        vector = self._vector(ids)
        largest = self._np.abs(vector).max()
        if not largest > 0:  # nor NaN
            return None
        return self._np.rint(vector * (LARGEST / largest)).astype(self._np.int8).tobytes()

    def _vector(self, ids: Sequence[int]) -> Any:  # noqa: ANN401 - numpy is no dependency
        """Its direction is the text's. A text alone needs no padding, so every piece counts."""
        numbers = self._np.array([ids], self._np.int64)
        fed = {
            "input_ids": numbers,
            "attention_mask": self._np.ones_like(numbers),
            "token_type_ids": self._np.zeros_like(numbers),
        }
        found = self._session.run(None, {name: value for name, value in fed.items() if name in self._inputs})[0][0]
        if found.ndim == 1:  # the model has put the pieces together itself
            return found
        return found[0] if self._manner.first else found.mean(axis=0)


def opened(folder: Path) -> OnnxEncoder:
    """The encoder of ``folder``. Its id is a digest of what it is made of.

    Raises ``ImportError`` without the extra, ``FileNotFoundError`` without the model or its tokenizer.
    """
    try:
        runtime: Any = import_module("onnxruntime")
        tokenizers: Any = import_module("tokenizers")
    except ImportError as problem:
        raise ImportError("an ONNX encoder needs more packages: pip install 'farthing[onnx]'") from problem
    model = next((one for one in (folder / "model.onnx", folder / "onnx/model.onnx") if one.is_file()), None)
    words = folder / "tokenizer.json"
    if model is None or not words.is_file():
        raise FileNotFoundError(f"{folder} has no model.onnx or no tokenizer.json")
    manner = _manner(folder)
    tokenizer = tokenizers.Tokenizer.from_file(str(words))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1  # many requests at once are better use of the cores than one a little faster
    session = runtime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name = blake2b(digest_size=6)
    for part in (model.read_bytes(), words.read_bytes(), repr(tuple(manner)).encode()):
        name.update(blake2b(part).digest())
    return OnnxEncoder(session, tokenizer, name.hexdigest(), manner)


def _manner(folder: Path) -> Manner:
    window = _said(folder / "sentence_bert_config.json").get("max_seq_length")
    return Manner(
        window=window if isinstance(window, int) and window > 0 else WINDOW,
        first=_said(folder / "1_Pooling/config.json").get("pooling_mode_cls_token") is True,
    )


def _said(path: Path) -> dict[str, Any]:
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Any]) if path.is_file() else {}
