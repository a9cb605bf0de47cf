"""What a participant remembers survives a kill at any moment, whole or not at all."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from app.sdk.protocol import I64, Blob, Measurement, Metric, Reveal, Scores
from fl_worker.roles.journal import Challenge, CombinedModel, Journal

REVEAL = Reveal(
    update_root=b"\x01" * 32,
    sum_squares=123,
    sealed_root=b"",
    blob=Blob("bafkrei", 400),
    example_count=12,
    metrics=(Metric("train_loss", 250_000),),
    salt=b"\x02" * 32,
)

SCORES = Scores((-5, 7), (400_000,), b"\x03" * 32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def test_an_update_and_the_state_after_it_are_found_after_a_restart(path: Path) -> None:
    first = Journal(path)
    first.save_update(7, 1, REVEAL, b"state")
    # No close: the process was killed.
    second = Journal(path)
    assert second.find_reveal(7, 1) == REVEAL
    assert second.find_state(7) == b"state"
    assert second.trained_rounds(7) == [1]


def test_a_round_is_never_trained_twice(path: Path) -> None:
    journal = Journal(path)
    journal.save_update(7, 1, REVEAL, b"state")
    with pytest.raises(sqlite3.IntegrityError):
        journal.save_update(7, 1, REVEAL, b"another")
    assert Journal(path).find_state(7) == b"state"


def test_a_settled_round_is_forgotten_but_the_state_stays(path: Path) -> None:
    journal = Journal(path)
    journal.save_update(7, 1, REVEAL, b"state")
    journal.save_verdict(7, 1, 3, True)
    journal.save_model(7, 1, CombinedModel(b"r" * 32, "bafkrei", 800))
    journal.forget_round(7, 1)
    assert journal.trained_rounds(7) == []
    assert journal.verdicts(7) == {}
    assert list(journal.models(7)) == [1]
    assert journal.find_state(7) == b"state"
    journal.forget_job(7)
    assert journal.find_state(7) == b""


def test_scores_are_kept_with_their_salt_and_measured_once(path: Path) -> None:
    first = Journal(path)
    first.save_scores(7, 1, 2, SCORES)
    # No close: the process was killed.
    second = Journal(path)
    assert second.find_scores(7, 1, 2) == SCORES
    assert second.find_scores(7, 1, 1) is None
    assert second.scored_rounds(7) == [(1, 2)]
    with pytest.raises(sqlite3.IntegrityError):
        second.save_scores(7, 1, 2, SCORES)
    second.forget_round(7, 1)
    assert second.scored_rounds(7) == []


def test_a_measurement_is_kept_with_its_salt_until_its_job_is_forgotten(path: Path) -> None:
    first, measured = Journal(path), Measurement(I64(-250_000), b"s" * 32)
    assert first.find_measurement(7) is None
    first.save_measurement(7, measured)
    # No close: the process was killed.
    second = Journal(path)
    assert second.find_measurement(7) == measured
    with pytest.raises(sqlite3.IntegrityError):
        second.save_measurement(7, measured)
    second.forget_job(7)
    assert second.find_measurement(7) is None


def test_the_keys_of_a_validation_set_outlive_its_job(path: Path) -> None:
    journal = Journal(path)
    journal.save_slice_keys({"bafk1": b"a" * 32, "bafk2": b"b" * 32})
    journal.forget_job(7)
    assert Journal(path).find_slice_key("bafk2") == b"b" * 32
    assert Journal(path).find_slice_key("bafk3") is None


def test_decisions_about_jobs_are_kept(path: Path) -> None:
    journal = Journal(path)
    journal.decide_job(7, "joined")
    journal.decide_job(8, "refused: pay")
    journal.decide_job(7, "left")
    assert Journal(path).decisions() == {7: "left", 8: "refused: pay"}


def test_a_challenge_is_found_after_a_restart_and_stays_when_its_job_is_forgotten(
    path: Path,
) -> None:
    journal = Journal(path)
    kept = Challenge(7, 1, b"proof", b"s" * 32)
    journal.save_challenge(kept)
    assert Journal(path).challenges() == [kept]
    ended = replace(kept, proof=b"", height=9, deposit_uflt=10, outcome="upheld", earned_uflt=25)
    journal.save_challenge(ended)
    journal.forget_round(7, 1)
    journal.forget_job(7)
    assert Journal(path).challenges() == [ended]
