"""Who scores and measures in the simulation: most evaluators agree, some lie, some fall silent.

What one does in a round follows from a hash, so that it makes up its mind once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from app.kernel.record import Address, encode
from app.learning.commitment import MEASUREMENT_COMMITMENT, SCORE_COMMITMENT, commitment
from app.modules import committees, rounds
from app.modules.committees import CommitteeStep, Measurement
from app.modules.rounds import RoundPhase, Scores, ScoreStep, SeatState

BOXES_BYTES = 80


def chance(*parts: Any) -> int:
    """Return a number that follows from what it is about."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big")


def grants(job: Any, state: Any) -> Iterator[rounds.GrantSlices]:
    """Walk what a requester owes to those who score a round, unless it grants nothing."""
    current = state.round
    asked = [each for each in state.scorers if each.attempt == current.score_attempt]
    is_open = current.score_step is ScoreStep.GRANT and not asked[0].slice_keys
    if is_open and chance("grant", job.job_id, current.round) % 8:
        keys = (bytes(BOXES_BYTES),) * (len(asked) * len(current.slices))
        yield rounds.GrantSlices(job.requester, job.job_id, current.round, keys)


def score(chain_id: str, me: Address, job: Any, state: Any) -> Iterator[Any]:
    """Walk what an evaluator does about the scoring of a round."""
    current = state.round
    asked = [s for s in state.scorers if s.attempt == current.score_attempt and s.evaluator == me]
    if current.phase is not RoundPhase.SCORE or not asked:
        return
    place = job.job_id, current.round
    mood = chance("mood", me, *place) % 12
    scores = make_scores(me, job, state, is_lying=mood == 3)
    is_answered = asked[0].refused or asked[0].commitment
    if current.score_step is ScoreStep.COMMIT and not is_answered and mood:
        if mood == 1:
            yield rounds.RefuseSlices(me, *place)
            return
        attempt, payload = current.score_attempt, encode(scores)
        where = SCORE_COMMITMENT, chain_id, *place, attempt
        yield rounds.CommitScores(me, *place, commitment(*where, account=me, payload=payload))
    is_closed = asked[0].commitment and not asked[0].scores.salt
    if current.score_step is ScoreStep.REVEAL and is_closed and mood != 2:
        yield rounds.RevealScores(me, *place, scores)


def make_scores(me: Address, job: Any, state: Any, is_lying: bool) -> Scores:
    """Return scores that are an evaluator's own but for a little noise, or for a lie."""
    included = [seat for seat in state.seats if seat.state is SeatState.INCLUDED]
    roots = list(dict.fromkeys(seat.reveal.update_root for seat in included))
    about = job.job_id, state.round.round

    def near(kind: str, player: int, spread: int) -> int:
        noise = chance(kind, me, *about, player) % 1_000 - 500
        return chance(kind, *about, player) % spread + (noise * 9_000 if is_lying else noise)

    utilities = [near("utility", player, 400_000) - 200_000 for player in range(len(roots) + 1)]
    own = [min(max(near("own", player, 1_000_000), 0), 1_000_000) for player in range(len(roots))]
    own = own if job.spec.pay.weighs_quality else []
    return Scores(tuple(utilities), tuple(own), hashlib.sha256(me).digest())  # type: ignore[arg-type]


def grants_of_kept(job: Any, committee: Any) -> Iterator[committees.GrantKeptSlices]:
    """Walk what a requester owes to the committee that it asked for."""
    found, members = committee
    is_open = found.step is CommitteeStep.GRANT and not members[0].slice_keys
    if is_open and chance("kept", job.job_id) % 4:
        keys = (bytes(BOXES_BYTES),) * (len(members) * len(found.slices))
        yield committees.GrantKeptSlices(job.requester, job.job_id, keys)


def measure(chain_id: str, me: Address, job: Any, committee: Any) -> Iterator[Any]:
    """Walk what a member of a committee does."""
    found, members = committee
    mine = [member for member in members if member.evaluator == me]
    if not mine or not chance("member", me, job.job_id) % 9:
        return
    metric = chance("metric", job.job_id) % 3_000_000 + 100_000 + chance(me, job.job_id) % 7
    measurement = Measurement(metric, hashlib.sha256(me).digest())  # type: ignore[arg-type]
    if found.step is CommitteeStep.COMMIT and not mine[0].commitment:
        where = MEASUREMENT_COMMITMENT, chain_id, job.job_id, 0, 1
        digest = commitment(*where, account=me, payload=encode(measurement))
        yield committees.CommitMeasurement(me, job.job_id, digest)
    is_closed = mine[0].commitment and not mine[0].measurement.salt
    if found.step is CommitteeStep.REVEAL and is_closed:
        yield committees.RevealMeasurement(me, job.job_id, measurement)
