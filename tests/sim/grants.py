"""An independent opinion of allowances: whose fee somebody else pays, and what is left of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.wire.records import open_packed


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


@dataclass
class Licence:
    """What one account may still send of another's money; None is no limit."""

    left: int | None
    recipients: tuple[bytes, ...]
    end_ms: int


class Grants:
    """Remembers who lets whom pay with its money, and who may send it."""

    def __init__(self) -> None:
        self.licences: dict[tuple[bytes, bytes], Licence] = {}
        self.executed = 0
        self.purses: dict[tuple[bytes, bytes], Purse] = {}
        self.used = self.refused = self.pruned = 0

    def hear(self, message: Any, time_ms: int) -> None:
        """Remember a message that took effect."""
        kind = type(message).__name__
        if kind == "GrantAllowance":
            self.purses[message.granter, message.grantee] = read(message.allowance)
        elif kind == "RevokeAllowance":
            del self.purses[message.granter, message.grantee]
        elif kind == "GrantMessages":
            self.licences[message.granter, message.grantee] = licence_of(message.grant)
        elif kind == "RevokeMessages":
            del self.licences[message.granter, message.grantee]
        elif kind == "Exec":
            self.hear_exec(message, time_ms)
        elif kind == "PruneAllowances":
            over = [p for p, purse in self.purses.items() if 0 < purse.end_ms < time_ms]
            self.pruned += len(over)
            for place in over:
                del self.purses[place]

    def hear_exec(self, message: Any, time_ms: int) -> None:
        """Remember sends in others' names that took effect, which must have been allowed."""
        for send in map(open_packed, message.msgs):
            place = (send.from_address, message.grantee)
            if send.from_address == message.grantee:
                continue
            licence = self.licences[place]
            self.executed += 1
            assert not 0 < licence.end_ms < time_ms
            assert not licence.recipients or send.to_address in licence.recipients
            if licence.left is not None:
                licence.left -= total(send.amount)
                assert licence.left >= 0
                if not licence.left:
                    del self.licences[place]

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

    def check(self, allowances: dict[tuple[bytes, bytes], Any], authorizations: list[Any]) -> None:
        """Compare with the chain's allowances, by granter and grantee, and its authorizations."""
        assert {place: read(allowance) for place, allowance in allowances.items()} == self.purses
        found = {(row.granter, row.grantee): licence_of(row) for row in authorizations}
        assert found == self.licences


def licence_of(grant: Any) -> Licence:
    """Return an authorization to send in plain words."""
    authorization = grant.authorization
    if type(authorization).__name__ == "GenericAuthorization":
        return Licence(None, (), grant.expiration)
    left = total(authorization.spend_limit)
    return Licence(left, authorization.allow_list, grant.expiration)


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
