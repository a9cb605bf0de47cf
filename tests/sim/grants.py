"""An independent opinion of allowances: whose fee somebody else pays, and what is left of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass
class Purse:
    """What one account may still spend of another's money on fees; None is no limit."""

    left: int | None
    end_ms: int
    period_ms: int = 0
    period_limit: int = 0
    period_left: int = 0
    reset_ms: int = 0
    kinds: tuple[str, ...] = ()

    def takes(self, fee: int, time_ms: int, kinds: Sequence[str]) -> bool:
        """Spend a fee, if all allows it."""
        period_left, reset_ms = self.period_left, self.reset_ms
        if self.period_ms and time_ms >= reset_ms:
            whole = self.period_limit
            period_left = whole if self.left is None else min(whole, self.left)
            late = time_ms > reset_ms + self.period_ms
            reset_ms = (time_ms if late else reset_ms) + self.period_ms
        is_over = bool(self.end_ms) and time_ms > self.end_ms
        is_for_it = not self.kinds or set(kinds) <= set(self.kinds)
        is_enough = self.left is None or fee <= self.left
        if is_over or not is_for_it or not is_enough or (self.period_ms and fee > period_left):
            return False
        self.period_left, self.reset_ms = period_left - fee * bool(self.period_ms), reset_ms
        self.left = None if self.left is None else self.left - fee
        return True


class Grants:
    """Remembers who lets whom pay with its money."""

    def __init__(self) -> None:
        self.purses: dict[tuple[bytes, bytes], Purse] = {}
        self.used = self.refused = self.pruned = 0

    def hear(self, message: Any, time_ms: int) -> None:
        """Remember a message that took effect."""
        kind = type(message).__name__
        if kind == "GrantAllowance":
            self.purses[message.granter, message.grantee] = read(message.allowance)
        elif kind == "RevokeAllowance":
            del self.purses[message.granter, message.grantee]
        elif kind == "PruneAllowances":
            over = [p for p, purse in self.purses.items() if 0 < purse.end_ms < time_ms]
            self.pruned += len(over)
            for place in over:
                del self.purses[place]

    def may_pay(
        self, granter: bytes, grantee: bytes, fee: int, time_ms: int, *, kinds: Sequence[str]
    ) -> bool:
        """Say whether a granter pays a fee; the caller has seen that it has the money."""
        purse = self.purses.get((granter, grantee))
        is_paid = purse is not None and purse.takes(fee, time_ms, kinds)
        if purse is not None and is_paid and purse.left == 0:
            del self.purses[granter, grantee]
        self.used += is_paid
        self.refused += not is_paid
        return is_paid

    def check(self, found: dict[tuple[bytes, bytes], Any]) -> None:
        """Compare with the chain's allowances, by granter and grantee."""
        assert {place: read(allowance) for place, allowance in found.items()} == self.purses


def read(allowance: Any) -> Purse:
    """Return an allowance in plain words."""
    name = type(allowance).__name__
    if name == "AllowedMsgAllowance":
        purse = read(allowance.allowance)
        purse.kinds = tuple(url.rpartition(".Msg")[2] for url in allowance.allowed_messages)
        return purse
    basic = allowance.basic if name == "PeriodicAllowance" else allowance
    purse = Purse(total(basic.spend_limit) if basic.spend_limit else None, basic.expiration)
    if name == "PeriodicAllowance":
        purse.period_ms, purse.reset_ms = allowance.period, allowance.period_reset
        purse.period_limit = total(allowance.period_spend_limit)
        purse.period_left = total(allowance.period_can_spend)
    return purse


def total(coins: Any) -> int:
    """Return an amount of uflt."""
    return sum(coin.amount for coin in coins)
