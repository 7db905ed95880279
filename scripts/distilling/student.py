"""The table that learns: a question's vector is the sum of its pieces' rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

DIMENSIONS = 256
SEED = 0
COMMON = 0.02
"""A piece in such a share of the questions weighs half in the beginning."""
STAY = 0.05
"""How strongly rows are held to where they began: what is not in the questions has to fit what is."""
ALIKE = 20.0
"""How much the similarities among questions count beside the vectors themselves."""
SHARP = 0.07
"""Temperature of the third step's contrast."""
GENTLE = 0.3
"""Its weight: with more, classes it has not seen lose more than those it has seen win."""


@dataclass
class Pupil:
    table: torch.nn.Parameter
    began: torch.Tensor
    sought: torch.Tensor
    read: list[list[int]]

    def vectors(self, places: list[int]) -> torch.Tensor:
        lengths = [len(self.read[at]) for at in places]
        numbers = torch.tensor([number for at in places for number in self.read[at]])
        offsets = torch.tensor([0, *np.cumsum(lengths[:-1])])
        return functional.normalize(functional.embedding_bag(numbers, self.table, offsets, mode="sum"), dim=1)

    def loss(self, places: list[int]) -> torch.Tensor:
        """How far from the teacher."""
        ours, theirs = self.vectors(places), self.sought[places]
        apart = (1 - (ours * theirs).sum(1)).mean()
        return (
            apart
            + ALIKE * ((ours @ ours.T - theirs @ theirs.T) ** 2).mean()
            + STAY * ((self.table - self.began) ** 2).sum(1).mean()
        )

    def rows(self) -> np.ndarray[Any, Any]:
        return self.table.detach().numpy()


def begin(pieces: np.ndarray[Any, Any], questions: np.ndarray[Any, Any], read: list[list[int]]) -> Pupil:
    """The teacher's vectors in fewer dimensions, those that hold most of both; common pieces weigh less."""
    spread = questions.T @ questions / len(questions) + 0.3 * pieces.T @ pieces / len(pieces)
    axes = np.linalg.eigh(spread)[1][:, ::-1][:, :DIMENSIONS].astype(np.float32)
    count = np.ones(len(pieces))
    for numbers in read:
        count[list(set(numbers))] += 1
    weight = np.where(count > 3, np.maximum(COMMON / (COMMON + count / len(read)), 0.15), 1.0)
    table = torch.tensor((_unit(pieces @ axes) * weight[:, None]).astype(np.float32))
    return Pupil(torch.nn.Parameter(table.clone()), table, torch.tensor(_unit(questions @ axes)), read)


def follow(pupil: Pupil, rounds: int = 8) -> None:
    """The second step."""
    torch.manual_seed(SEED)
    some = [at for at, numbers in enumerate(pupil.read) if numbers]
    chance, learn = np.random.default_rng(SEED), torch.optim.Adam([pupil.table], lr=0.02)
    for number in range(rounds):
        chance.shuffle(some)
        for begin_at in range(0, len(some), 512):
            _step(learn, loss := pupil.loss(some[begin_at : begin_at + 512]))
        print(f"following {number + 1}: {loss.item():.4f}", flush=True)


def gather(pupil: Pupil, classes: list[list[int]], steps: int = 240) -> None:
    """The third step: of two questions of a class each is to find the other among those of 127 more classes."""
    chance, learn = np.random.default_rng(SEED), torch.optim.Adam([pupil.table], lr=0.005)
    some = np.array([at for at, numbers in enumerate(pupil.read) if numbers])
    classes = [kept for one in classes if len(kept := [at for at in one if pupil.read[at]]) > 1]
    share = np.array([min(len(one), 60) for one in classes], float)
    for number in range(steps):
        loss = pupil.loss(list(chance.choice(some, 384, replace=False)))
        drawn = chance.choice(len(classes), min(128, len(classes)), replace=False, p=share / share.sum())
        pairs = [chance.choice(classes[at], 2, replace=False) for at in drawn]
        ours, theirs = (pupil.vectors([pair[side] for pair in pairs]) for side in (0, 1))
        found, right = ours @ theirs.T / SHARP, torch.arange(len(pairs))
        contrast = functional.cross_entropy(found, right) + functional.cross_entropy(found.T, right)
        _step(learn, loss + GENTLE * contrast / 2)
        if number % 80 == 79:
            print(f"gathering {number + 1}: {loss.item():.4f} {contrast.item() / 2:.4f}", flush=True)


def _step(learn: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    learn.zero_grad()
    loss.backward()
    learn.step()


def _unit(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
