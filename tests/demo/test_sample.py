from importlib.resources import files
from pathlib import Path

from farthing.demo.sample import load_sample, prompt
from farthing.simulator.tokens import count_tokens


def test_the_sample_is_small_and_whole():
    data = files("farthing.demo").joinpath("data")
    assert sum(len(path.read_bytes()) for path in data.iterdir()) < 300_000
    sample = load_sample()
    assert {question.set for question in sample.questions} == {
        "banking77", "clinc150", "gsm8k", "mmlu_pro", "cast",
    }  # fmt: skip
    assert all(question.text.strip() for question in sample.questions)
    assert all(meeting.questions for meeting in sample.meetings)
    assert {record.kind for record in sample.records} == {"retail_order", "retail_product"}


def test_every_set_is_attributed():
    notice = (Path(__file__).parents[2] / "NOTICE").read_text()
    for name in (
        "BANKING77",
        "CLINC150",
        "GSM8K",
        "MMLU-Pro",
        "CAsT",
        "QMSum",
        "AMI Meeting Corpus",
        "tau-bench",
    ):
        assert name in notice


def test_the_support_prompt_is_long_enough_to_be_cached():
    assert count_tokens(prompt("support")) > 1024
