"""What a proposal may hold: messages of governance to the modules below, and of its own."""

from __future__ import annotations

from dataclasses import fields
from functools import reduce
from typing import TYPE_CHECKING, Any

from app.kernel import packed
from app.kernel.bech32 import from_bech32, to_bech32
from app.kernel.context import Context
from app.kernel.errors import Fault, Rejected, catch_faults, require
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module
from app.kernel.record import Address
from app.kernel.store import Overlay, State
from app.kernel.table import Singleton
from app.kernel.tx import Coin
from app.modules import bank, lower, payouts, upgrade
from app.modules.gov.cosmos_params import COSMOS_PARAMS, PERIOD_MS_MAX, ParamsReplaced, check
from app.modules.gov.records import GOVERNANCE, PARAMS, Params, Proposal, amount_of, read_decimal

PARAMS_OF: dict[Any, tuple[str, Singleton[Any]]] = {
    module.params.record: (module.name, module.params)
    for module in lower.MODULES
    if module.params is not None and module.package.startswith("pollen.")
}
"""By the class of a module's params, its name and where they are kept."""
POSITIVE_ENDS = ("_max", "_s", "_ms", "_blocks")
if TYPE_CHECKING:
    AnyParams = Any
else:
    AnyParams = reduce(lambda one, other: one | other, PARAMS_OF)


@frozen
class ReplaceParams:
    """Replace the params of a module, all of them, from the next block on."""

    authority: Address
    params: AnyParams


@frozen
class UpdateParams:
    """Replace the params of governance itself."""

    authority: Address
    params: Params


@frozen
class CommunityPoolSpend:
    """Pay somebody out of the treasury."""

    authority: Address
    recipient: Address
    amount: tuple[Coin, ...]


class InvalidSpending(Rejected):
    """Treasury money for nobody, or in other coins than uflt."""

    code = 2407
    text = "{field} {value}: can't be paid out of the treasury, the limit is {limit}; change it"


def run_messages(state: State, ctx: Context, proposal: Proposal) -> str:
    """Run a proposal's messages, all or none; return why none, or nothing.

    A fault of ours fails the proposal as it would a transaction.
    """
    draft, inner = Overlay(state), Context(ctx.block, GOVERNANCE)
    try:
        with catch_faults():
            for each in proposal.messages:
                found = packed.must_unpack(KNOWN, each)
                found.entry.rule(draft, inner, found.message)
    except Rejected as rejection:
        return rejection.detail
    except Fault as fault:
        return str(fault)
    draft.merge_into(state)
    ctx.events += inner.events
    return ""


def replace_params(state: State, ctx: Context, msg: ReplaceParams) -> None:
    """Replace a module's params; a limit or a time that is something stays so."""
    upgrade.check_authority(msg.authority)
    for each in fields(msg.params):
        value = getattr(msg.params, each.name)
        if each.name.endswith(POSITIVE_ENDS) and each.default:
            check(each.name, value, value > 0, "1 or more")

    name, params = PARAMS_OF[type(msg.params)]
    params.put(state, msg.params)
    ctx.emit(ParamsReplaced(name))


def update_params(state: State, ctx: Context, msg: UpdateParams) -> None:
    """Replace the params of governance, with which it must be able to go on."""
    upgrade.check_authority(msg.authority)
    params = msg.params
    deposits = {"min_deposit": params.min_deposit}
    deposits["expedited_min_deposit"] = params.expedited_min_deposit
    for field, coins in deposits.items():
        is_uflt = [coin.denom for coin in coins] == [bank.DENOM] and amount_of(coins) > 0
        check(field, bank.coins_text(coins), is_uflt, "an amount of uflt")
    for name in ("max_deposit_period", "voting_period", "expedited_voting_period"):
        period = getattr(params, name)
        check(name, period, 0 < period <= PERIOD_MS_MAX, f"1 to {PERIOD_MS_MAX} milliseconds")
    for each in fields(params):
        if each.name.endswith(("quorum", "threshold", "_ratio")):
            value = getattr(params, each.name)
            if isinstance(value, str):
                read_decimal(each.name, value)
    check_recipient(params.proposal_cancel_dest)
    PARAMS.put(state, params)
    ctx.emit(ParamsReplaced("gov"))


def check_recipient(text: str) -> None:
    """Refuse to give what a cancelled proposal costs to what is no account."""
    try:
        is_right = not text or bool(from_bech32(text))
    except ValueError:
        is_right = False
    check("proposal_cancel_dest", text[:90], is_right, "an address, or nothing")


def community_pool_spend(state: State, ctx: Context, msg: CommunityPoolSpend) -> None:
    """Pay somebody out of the treasury, which protocol fees and lost deposits fill."""
    upgrade.check_authority(msg.authority)
    recipient, coins = to_bech32(msg.recipient), bank.coins_text(msg.amount)
    is_uflt = bank.are_valid_coins(msg.amount) and [c.denom for c in msg.amount] == [bank.DENOM]
    is_person = bool(msg.recipient) and msg.recipient not in bank.MODULE_ADDRESSES
    for field, value, is_valid, limit in (
        ("recipient", recipient or "empty", is_person, "an account that is no module's"),
        ("amount", coins, is_uflt, "an amount of uflt"),
    ):
        require(is_valid, InvalidSpending, field=field, value=value, limit=limit)

    bank.move(state, ctx, payouts.TREASURY, msg.recipient, amount_of(msg.amount))


OWN = {
    ReplaceParams: Message(
        replace_params,
        gas=20_000,
        amino_name="pollen/ReplaceParams",
        type_url="/pollen.gov.v1.MsgReplaceParams",
    ),
    UpdateParams: Message(
        update_params, gas=20_000, amino_name="cosmos-sdk/x/gov/v1/MsgUpdateParams"
    ),
    CommunityPoolSpend: Message(
        community_pool_spend,
        gas=20_000,
        amino_name="cosmos-sdk/distr/MsgCommunityPoolSpend",
        type_url="/cosmos.distribution.v1beta1.MsgCommunityPoolSpend",
    ),
    **COSMOS_PARAMS,
}
KNOWN = packed.find_messages(
    (*lower.MODULES, Module(name="gov", package="cosmos.gov.v1", messages=OWN))
)
