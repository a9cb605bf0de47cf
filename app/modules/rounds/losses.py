"""What a voided round would have paid those who delivered in it, had it settled in equal shares.

A worker delivered if its update is included or, where that is not decided yet, revealed: it loses
its equal share of the workers' part, as one of those included or, until then, of all who committed;
who sent the same update shares it. An evaluator delivered if it voted and, where the round has an
aggregate, attested it; in the first round, which is proven false, it is the other way round: it
voted and did not attest. It loses its equal share of the evaluators' part, as one of all of them.
The aggregator of a round that was built on the false one loses the aggregator's part. Who is
convicted in one of the rounds lost nothing in any. Reserves only waited; who was drawn only to
score would have earned by its scores, which say nothing about a model that was false.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.kernel.amounts import mul_div_floor, share_ppm
from app.kernel.record import Address
from app.kernel.store import Reader as View
from app.modules import jobs, slashing
from app.modules.rounds.lifecycle import ATTESTED, get_readers, place_of
from app.modules.rounds.records import Reader, Round, SeatState
from app.modules.rounds.settle import find_delivered, workers_pool_uflt
from app.modules.rounds.shares import share_among, share_equally


def compute_losses(state: View, voided: Sequence[Round]) -> dict[Address, int]:
    """Return what each participant loses with a false round, the first, and those built on it."""
    places = [place_of(round) for round in voided]
    convicted = [who for place in places for who in slashing.get_convicted(state, place)]
    losses: dict[Address, int] = {}
    for round in voided:
        is_false = round.round == voided[0].round
        found = (*worker_losses(state, round).items(), *reader_losses(state, round, is_false))
        for who, amount in found:
            if who not in convicted:
                losses[who] = losses.get(who, 0) + amount
    return losses


def worker_losses(state: View, round: Round) -> dict[Address, int]:
    """Return what each worker that delivered loses with a round."""
    delivered = find_delivered(state, round)
    is_decided = any(seat.state is SeatState.INCLUDED for seat in delivered)
    awaited = len(delivered) if is_decided else round.committed_count
    if not delivered:
        return {}
    pool = mul_div_floor(workers_pool_uflt(state, round), len(delivered), awaited)
    return share_among(pool, delivered)


def reader_losses(state: View, round: Round, is_false: bool) -> Iterator[tuple[Address, int]]:
    """Walk what each reader that delivered loses with a round."""
    pay = jobs.JOBS.must(state, round.job_id).spec.pay
    evaluators = [reader for reader in get_readers(state, round) if not reader.is_aggregator]
    fees = share_ppm(round.pool_uflt, pay.evaluator_ppm)
    shares = share_equally(fees, [reader.participant for reader in evaluators])
    for evaluator in evaluators:
        if has_delivered(round, evaluator, is_false):
            yield evaluator.participant, shares[evaluator.participant]
    if round.phase in ATTESTED and not is_false:
        yield round.aggregator, share_ppm(round.pool_uflt, pay.aggregator_ppm)


def has_delivered(round: Round, evaluator: Reader, is_false: bool) -> bool:
    """Whether an evaluator did what it honestly could in a round that is voided."""
    has_attested = evaluator.attested_attempt == round.aggregate_attempt
    is_asked = round.phase in ATTESTED
    return evaluator.voted and (not is_asked or has_attested != is_false)
