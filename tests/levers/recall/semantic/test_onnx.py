import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from farthing.levers.recall.semantic.encoder import similarity
from farthing.levers.recall.semantic.onnx import Manner, OnnxEncoder, opened

TABLE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [-1.0, 0.0]], np.float32)


class FakeSession:
    """A row of ``TABLE`` for each piece, or their sum."""

    def __init__(self, *, pooled=False, inputs=("input_ids", "attention_mask")):
        self.pooled, self.inputs, self.fed = pooled, inputs, {}

    def get_inputs(self):
        return [SimpleNamespace(name=name) for name in self.inputs]

    def run(self, _names, fed):
        self.fed = fed
        rows = TABLE[fed["input_ids"]]
        return [rows.sum(axis=1) if self.pooled else rows]


def tokenizer():
    made = Tokenizer(WordLevel({"[UNK]": 0, "a": 1, "b": 2, "c": 3}, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    return made


def encoder_of(session=None, **manner):
    return OnnxEncoder(session or FakeSession(), tokenizer(), "test", Manner(**manner))


def values(vector):
    return list(memoryview(vector).cast("b"))


def test_the_mean_of_the_pieces_scaled_to_a_byte():
    encoder = encoder_of()
    assert values(encoder.encode("a b")) == [64, 127]
    assert (encoder.dimensions, encoder.id) == (2, "onnx-test")


def test_the_first_piece_where_the_model_says_so():
    assert values(encoder_of(first=True).encode("a b")) == [127, 0]


def test_a_model_that_pools_itself():
    assert values(encoder_of(FakeSession(pooled=True)).encode("b a")) == [64, 127]


def test_only_what_the_model_takes_is_fed():
    session = FakeSession(inputs=("input_ids", "token_type_ids"))
    encoder_of(session).encode("a b c")
    assert {name: value.tolist() for name, value in session.fed.items()} == {
        "input_ids": [[1, 2, 3]],
        "token_type_ids": [[0, 0, 0]],
    }


@pytest.mark.parametrize("text", ["", "  ", "unknown", "a c", "a b a b"])
def test_what_says_nothing_or_too_much_has_no_vector(text):
    assert encoder_of(window=3).encode(text) is None


def test_without_the_packages_the_error_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"farthing\[onnx\]"):
        opened(tmp_path)


@pytest.fixture
def runtime(monkeypatch):
    made = []

    def session(path, options, providers):
        made.append((path, options.intra_op_num_threads, providers))
        return FakeSession()

    fake = SimpleNamespace(SessionOptions=SimpleNamespace, InferenceSession=session)
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)
    return made


def folder_of(path, model="model.onnx"):
    (path / model).parent.mkdir(exist_ok=True)
    (path / model).write_bytes(b"weights")
    tokenizer().save(str(path / "tokenizer.json"))
    return path


@pytest.mark.parametrize("model", ["model.onnx", "onnx/model.onnx"])
def test_a_folder(tmp_path, runtime, model):
    encoder = opened(folder_of(tmp_path, model))
    assert runtime == [(str(tmp_path / model), 1, ["CPUExecutionProvider"])]
    assert similarity(encoder.encode("a b"), encoder.encode("b a")) == pytest.approx(1.0)


def test_a_folder_says_how_it_is_read_and_its_id_tells(tmp_path, runtime):
    folder_of(tmp_path)
    plain = opened(tmp_path)
    assert plain.id == opened(tmp_path).id
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling/config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    (tmp_path / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 2}))
    encoder = opened(tmp_path)
    assert encoder.id != plain.id
    assert values(encoder.encode("b a")) == [0, 127]
    assert encoder.encode("a b a") is None


@pytest.mark.parametrize("missing", ["model.onnx", "tokenizer.json"])
def test_a_folder_that_is_not_whole(tmp_path, runtime, missing):
    (folder_of(tmp_path) / missing).unlink()
    with pytest.raises(FileNotFoundError, match="has no model.onnx"):
        opened(tmp_path)
