"""What a job will cost its requester, and what each part in it earns and has to bond."""

from __future__ import annotations

from dataclasses import dataclass

from app.sdk.protocol import (
    JobsParams,
    JobSpec,
    PayoutsParams,
    RoundsParams,
    round_pool_uflt,
    share_ppm,
    worker_seat_bond_uflt,
)


@dataclass(frozen=True, slots=True)
class ChainParams:
    """What the chain's rules say about money and seats."""

    jobs: JobsParams
    payouts: PayoutsParams
    rounds: RoundsParams


@dataclass(frozen=True, slots=True)
class Cost:
    """Money in uflt; what a part earns in one round is before the protocol's fee."""

    budget_uflt: int
    posting_cost_uflt: int
    tx_fee_uflt: int
    pool_uflt: int
    """A round's equal part of the budget."""
    worker_uflt: int
    """An equal share of a full cohort."""
    aggregator_uflt: int
    evaluator_uflt: int
    reserve_uflt: int
    held_back_uflt: int
    """What of a round's pool waits for acceptance."""
    protocol_fee_uflt: int
    """What the protocol takes of a round's pool; the parts pay it."""
    worker_bond_uflt: int
    """What a seat locks."""
    aggregator_bond_uflt: int
    evaluator_bond_uflt: int

    @property
    def total_uflt(self) -> int:
        """What leaves the requester's account when posting; what isn't earned returns."""
        return self.budget_uflt + self.posting_cost_uflt + self.tx_fee_uflt


def compute_cost(spec: JobSpec, budget_uflt: int, tx_fee_uflt: int, params: ChainParams) -> Cost:
    """Return what a job with this budget costs and pays."""
    pay, schedule = spec.pay, spec.schedule
    pool = round_pool_uflt(spec, budget_uflt)
    evaluator = share_ppm(pool, pay.evaluator_ppm) // spec.evaluator_count
    reserves = share_ppm(pool, pay.reserve_ppm)
    least = params.jobs.seat_bond_min_uflt
    pools = pool * params.rounds.aggregator_bond_pools
    fees = evaluator * params.rounds.evaluator_bond_fees
    return Cost(
        budget_uflt=budget_uflt,
        posting_cost_uflt=params.jobs.posting_cost_uflt,
        tx_fee_uflt=tx_fee_uflt,
        pool_uflt=pool,
        worker_uflt=share_ppm(pool, pay.worker_ppm) // schedule.cohort_size,
        aggregator_uflt=share_ppm(pool, pay.aggregator_ppm),
        evaluator_uflt=evaluator,
        reserve_uflt=reserves // schedule.reserve_count if schedule.reserve_count else 0,
        held_back_uflt=share_ppm(pool, pay.held_back_ppm),
        protocol_fee_uflt=share_ppm(pool, params.payouts.protocol_fee_ppm),
        worker_bond_uflt=worker_seat_bond_uflt(spec, budget_uflt, params.jobs),
        aggregator_bond_uflt=max(pools, least, spec.seat_bonds.aggregator_uflt),
        evaluator_bond_uflt=max(fees, least, spec.seat_bonds.evaluator_uflt),
    )
