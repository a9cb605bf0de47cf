"""A job of one round whose result was rejected, and the evaluators who measure it."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.kernel.crypto import sha256
from app.kernel.record import I64, U32, U64, Address, encode
from app.learning.commitment import MEASUREMENT_COMMITMENT, commitment
from app.modules import committees, payouts
from app.modules.committees import Measurement, Member
from app.modules.jobs import JobPhase
from tests.build_rounds import Play, a_play

ONE: Mapping[str, Any] = {"schedule.round_count": U32(1)}
QUICK = {
    "rounds": {"deadline_blocks": 1, "candidate_wait_s": 10},
    "committees": {"deadline_blocks": 1, "step_s": 60},
}


def reviewed(changes: Mapping[str, Any] = ONE, others: int = 7) -> Play:
    """A job in review, on a chain that has so many evaluators who know nothing of it."""
    play = a_play(changes, params=QUICK, evaluator_count=3)
    for i in range(others):
        play.world.participant(f"later {i}", play.world.registration(play.evaluators[0]).role)
    play.to_settled()
    assert play.job().phase is JobPhase.REVIEW
    return play


def rejected(changes: Mapping[str, Any] = ONE, others: int = 7) -> Play:
    """A job whose committee was drawn, if there are enough for one."""
    play = reviewed(changes, others)
    play.world.run(payouts.RejectJob(play.job().requester, U64(1), "worse than promised"))
    play.world.pass_block()
    return play


def members(play: Play) -> list[Member]:
    """The members of the job's committee."""
    return committees.get_members(play.world.state, play.job_id)


def grant_of(play: Play) -> committees.GrantKeptSlices:
    """The message that grants the kept slices' keys to all members."""
    keys = tuple(bytes([i]) * 80 for i in range(2 * len(members(play))))
    return committees.GrantKeptSlices(play.job().requester, U64(1), keys)


def granted(changes: Mapping[str, Any] = ONE, others: int = 7) -> Play:
    """A committee that is to commit."""
    play = rejected(changes, others)
    play.world.run(grant_of(play))
    play.world.pass_block()
    return play


def a_measurement(metric_millionths: int) -> Measurement:
    """A metric with a salt."""
    return Measurement(I64(metric_millionths), sha256(b"salt"))


def commitment_of(
    play: Play, evaluator: Address, measurement: Measurement
) -> committees.CommitMeasurement:
    """The message that commits a member to a measurement."""
    place = play.world.block.chain_id, play.job_id, 0, 1
    payload = encode(measurement)
    digest = commitment(MEASUREMENT_COMMITMENT, *place, account=evaluator, payload=payload)
    return committees.CommitMeasurement(evaluator, U64(1), digest)


def revelation_of(evaluator: Address, measurement: Measurement) -> committees.RevealMeasurement:
    """The message that reveals a member's measurement."""
    return committees.RevealMeasurement(evaluator, U64(1), measurement)


def measure(play: Play, metrics: Sequence[int]) -> list[Address]:
    """Let the first members commit to these metrics and reveal them; the others stay silent."""
    who = [member.evaluator for member in members(play)][: len(metrics)]
    measured = [*zip(who, map(a_measurement, metrics), strict=True)]
    for evaluator, measurement in measured:
        play.world.run(commitment_of(play, evaluator, measurement))
    end_step(play, len(metrics))
    for evaluator, measurement in measured:
        play.world.run(revelation_of(evaluator, measurement))
    play.world.pass_block()
    return who


def end_step(play: Play, done: int) -> None:
    """End a step at once where all are done, else by its deadline."""
    if done == len(members(play)):
        play.world.pass_block()
    else:
        play.world.wait(60)
