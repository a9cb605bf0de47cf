"""The modules whose messages others may run, from the bottom of the stack up.

What stands above runs them: governance in its own name, authorizations in the granter's.
"""

from __future__ import annotations

from app.kernel.module import Module
from app.modules import (
    auth,
    bank,
    beacon,
    bonds,
    clock,
    committees,
    disputes,
    distribution,
    downtime,
    feegrant,
    fees,
    jobs,
    mint,
    payouts,
    reputation,
    rounds,
    slashing,
    staking,
    statistics,
    upgrade,
)

MODULES: tuple[Module, ...] = (
    clock.MODULE,
    auth.MODULE,
    bank.MODULE,
    feegrant.MODULE,
    fees.MODULE,
    statistics.MODULE,
    distribution.MODULE,
    staking.MODULE,
    mint.MODULE,
    downtime.MODULE,
    beacon.MODULE,
    bonds.MODULE,
    reputation.MODULE,
    jobs.MODULE,
    payouts.MODULE,
    committees.MODULE,
    slashing.MODULE,
    rounds.MODULE,
    disputes.MODULE,
    upgrade.MODULE,
)
