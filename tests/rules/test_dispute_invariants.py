"""Each invariant of disputes breaks where its sentence doesn't hold."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.kernel.context import Context
from app.kernel.errors import InvariantBroken
from app.kernel.record import U32, U64
from app.kernel.store import Overlay, State
from app.modules import bank, disputes, rounds
from app.modules.disputes import DisputePhase
from app.modules.disputes.records import (
    CHALLENGERS,
    DISPUTES_ACCOUNT,
    DUE,
    OPEN,
    PARTS,
    ProofPart,
)
from app.modules.rounds import RoundPhase
from tests.build_disputes import Court, a_court

Change = Callable[[State, Court], None]


def put_dispute(**changes: Any) -> Change:
    return lambda draft, court: disputes.DISPUTES.put(
        draft, (1, 1, 1), replace(court.dispute(1), **changes)
    )


def put_round(**changes: Any) -> Change:
    return lambda draft, court: rounds.ROUNDS.put(
        draft, (1, 1), replace(court.play.round(), **changes)
    )


def move_a_deposit(draft: State, court: Court) -> None:
    context = Context(court.play.world.block)
    bank.move(draft, context, DISPUTES_ACCOUNT, court.stranger, 1)


BREAKS: list[tuple[str, str, Change]] = [
    ("the_disputes_account_is", "deposits of open disputes", move_a_deposit),
    (
        "every_round_counts_its_open_disputes",
        "until it has ended",
        lambda draft, court: OPEN.remove(draft, (1, 1, 1)),
    ),
    (
        "every_round_counts_its_open_disputes",
        "until it has ended",
        put_dispute(phase=DisputePhase.REFUTED),
    ),
    (
        "every_round_counts_its_open_disputes",
        "is found by it",
        lambda draft, court: CHALLENGERS.remove(draft, (1, 1, court.stranger)),
    ),
    (
        "every_round_counts_its_open_disputes",
        "counts its open disputes",
        put_round(dispute_count=U32(0)),
    ),
    (
        "every_round_counts_its_open_disputes",
        "has an aggregate that is disputed",
        put_round(phase=RoundPhase.SETTLED),
    ),
    (
        "every_open_dispute_is_due_once",
        "waits for an earlier one",
        put_dispute(phase=DisputePhase.PROVEN),
    ),
    (
        "every_open_dispute_is_due_once",
        "at its own time",
        lambda draft, court: DUE.add(draft, (5, 1, 1, 1)),
    ),
    (
        "every_open_dispute_is_due_once",
        "at its own time",
        put_dispute(due_clock_ms=U64(7)),
    ),
    (
        "parts_are_kept",
        "and no other",
        lambda draft, court: PARTS.put(draft, (1, 0), ProofPart(b"part")),
    ),
    (
        "parts_are_kept",
        "and no other",
        put_dispute(phase=DisputePhase.OPENED, received_count=U32(1)),
    ),
]


@pytest.mark.parametrize(("name", "words", "change"), BREAKS)
def test_an_invariant_of_disputes_breaks(name: str, words: str, change: Change) -> None:
    court = a_court().to_challenge(lie=1)
    court.commit(court.stranger, court.proof())
    (invariant,) = [each for each in disputes.MODULE.invariants if each.__name__.startswith(name)]
    invariant(court.play.world.state)
    draft = Overlay(court.play.world.state)
    change(draft, court)
    with pytest.raises(InvariantBroken, match=words):
        invariant(draft)
