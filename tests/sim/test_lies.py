"""Seeded jobs among liars: lies are voided, challengers get what is theirs, the model is honest."""

from collections import Counter

import pytest

from app.modules.jobs import JobPhase
from app.modules.rounds import RoundPhase
from tests.sim.lies import Trial, replay

SEEDS, BLOCKS = 8, 400


def test_no_lie_survives_and_the_auditor_agrees_with_every_unit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: Counter[str] = Counter()
    for seed in range(SEEDS):
        trial = Trial(seed, monkeypatch)
        trial.run(BLOCKS)
        job = trial.play.job()
        assert job.phase is not JobPhase.RUNNING, seed
        assert trial.court.models[job.model_root] == replay(trial.court), seed
        seen.update(trial.auditor.seen)
        seen[job.phase.name] += 1
        rounds = [trial.play.round(number) for number in range(1, job.next_round)]
        seen.update(f"round {round.phase.name}" for round in rounds)
    assert min(seen[end] for end in ("UPHELD", "REFUTED", "EXPIRED", "RETURNED", "BUILT")) > 5
    assert seen[f"round {RoundPhase.VOIDED.name}"] > seen["UPHELD"]
    assert seen[JobPhase.REVIEW.name] > SEEDS // 2
