"""Make the table of the encoder that comes with the package, ``levers/recall/semantic/static.bin``.

    python scripts/distill.py --model FOLDER --data FOLDER --out src/farthing/levers/recall/semantic/static.bin

Needs an environment of its own with torch, tokenizers, safetensors, numpy and pyarrow; about six minutes on two cores.
``--model``: all-MiniLM-L6-v2 (Apache-2.0), its ``model.safetensors`` and ``tokenizer.json``. ``--data``: the evaluation
sets; only those marked SHIP-OK are read, and NOTICE names them. Three steps:

1. A vector for every piece of the vocabulary: the teacher's of that piece alone (model2vec's way).
2. These are moved so that sums of them are near the teacher's vectors of whole questions, and as near to each other.
   Without this step a sum of pieces says 0.92 to nearly everything.
3. Gently: questions of one class of Banking77, CLINC150 and HWU64 (whose classes have their slots) come closer.
   ``--half`` leaves every other class out of this step, to measure it on those.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from distilling import data, student, table
from distilling.teacher import Teacher


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("model", "data", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--half", action="store_true", help="leave every other class out of the third step")
    options = parser.parse_args()
    teacher = Teacher(options.model)
    questions = data.questions(options.data)
    print(f"{len(questions)} questions", flush=True)
    pupil = student.begin(teacher.pieces(), teacher.encode(questions), [teacher.read(one) for one in questions])
    student.follow(pupil)
    student.gather(pupil, data.classes(options.data, questions, half=options.half))
    options.out.write_bytes(table.packed(teacher.vocabulary(), pupil.rows()))
    print(f"{options.out}: {options.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
