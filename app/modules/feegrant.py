"""Allowances: who lets whom pay fees with its money.

A granter allows a grantee to name it in a transaction, whose fee is then taken from the granter
instead of the payer. An allowance is Cosmos': basic, with a limit in all and an end; periodic, with
a limit for each period beside these; or either of the two for some messages alone. It is used up as
fees are taken, and gone when nothing is left of it. After its end it counts no more; whoever likes
may prune it. A grantee without an account is given one, so that it can sign without any money.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from app.kernel.bech32 import to_bech32
from app.kernel.context import Block, Context
from app.kernel.errors import Rejected, broken, require
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module, Query
from app.kernel.page import PageRequest, PageResponse, get_key_page, get_page
from app.kernel.record import U64, U128, Address, Duration, Time
from app.kernel.store import Reader, State
from app.kernel.table import Index, Table
from app.kernel.tx import Coin, Tx
from app.modules import auth, bank

ALLOWED_MESSAGES_MAX = 64
PERIOD_MS_MAX = 100 * 365 * 86_400_000
PRUNED_MAX = 75
"""By one message, as in Cosmos."""


@frozen
class BasicAllowance:
    """So much in all, until a date."""

    TYPE_URL: ClassVar[str] = "/cosmos.feegrant.v1beta1.BasicAllowance"
    spend_limit: tuple[Coin, ...]
    """What is left; none at all is no limit."""
    expiration: Time


@frozen
class PeriodicAllowance:
    """So much in each period, within a basic allowance."""

    TYPE_URL: ClassVar[str] = "/cosmos.feegrant.v1beta1.PeriodicAllowance"
    basic: BasicAllowance
    period: Duration
    period_spend_limit: tuple[Coin, ...]
    period_can_spend: tuple[Coin, ...]
    """What is left of this period's."""
    period_reset: Time
    """When the next period begins."""


@frozen
class AllowedMsgAllowance:
    """An allowance for transactions of nothing but certain messages."""

    TYPE_URL: ClassVar[str] = "/cosmos.feegrant.v1beta1.AllowedMsgAllowance"
    allowance: BasicAllowance | PeriodicAllowance
    allowed_messages: tuple[str, ...]
    """Their type URLs."""


PlainAllowance = BasicAllowance | PeriodicAllowance
Allowance = BasicAllowance | PeriodicAllowance | AllowedMsgAllowance


@frozen
class Grant:
    """An allowance as it is now."""

    granter: Address
    grantee: Address
    allowance: BasicAllowance | PeriodicAllowance | AllowedMsgAllowance


@frozen
class GrantAllowance:
    """Let somebody pay fees with the signer's money."""

    granter: Address
    grantee: Address
    allowance: BasicAllowance | PeriodicAllowance | AllowedMsgAllowance


@frozen
class RevokeAllowance:
    """Take an allowance back."""

    granter: Address
    grantee: Address


@frozen
class PruneAllowances:
    """Remove allowances whose end has come, 75 at most."""

    pruner: Address


@frozen
class AllowanceRequest:
    """Ask for the allowance that one account has of another."""

    granter: Address
    grantee: Address


@frozen
class AllowanceResponse:
    """An allowance."""

    allowance: Grant


@frozen
class AllowancesRequest:
    """Ask for the allowances that an account has, a page at a time."""

    grantee: Address
    pagination: PageRequest


@frozen
class AllowancesResponse:
    """A page of allowances."""

    allowances: tuple[Grant, ...]
    pagination: PageResponse


@frozen
class AllowancesByGranterRequest:
    """Ask for the allowances that an account gives, a page at a time."""

    granter: Address
    pagination: PageRequest


@frozen
class AllowancesByGranterResponse:
    """A page of allowances."""

    allowances: tuple[Grant, ...]
    pagination: PageResponse


@frozen
class AllowanceSet:
    """An allowance was given."""

    EVENT_TYPE: ClassVar[str] = "set_feegrant"
    granter: Address
    grantee: Address


@frozen
class AllowanceUsed:
    """A fee was taken from a granter."""

    EVENT_TYPE: ClassVar[str] = "use_feegrant"
    granter: Address
    grantee: Address


@frozen
class AllowanceUpdated:
    """Something is left of an allowance that was used."""

    EVENT_TYPE: ClassVar[str] = "update_feegrant"
    granter: Address
    grantee: Address


@frozen
class AllowanceRevoked:
    """An allowance was taken back or used up."""

    EVENT_TYPE: ClassVar[str] = "revoke_feegrant"
    granter: Address
    grantee: Address


@frozen
class AllowancesPruned:
    """Allowances whose end had come were removed."""

    EVENT_TYPE: ClassVar[str] = "prune_feegrant"
    pruner: Address


class NoSuchAllowance(Rejected):
    """A granter who allows nothing."""

    code = 2001
    text = (
        "granter {granter}: fee allowance of {grantee} not found, the limit is what was granted; "
        "let it grant one, or pay the fee yourself"
    )


class AllowanceExists(Rejected):
    """A second allowance of one account for another."""

    code = 2002
    text = (
        "grantee {grantee}: fee allowance already exists, the limit is one of each granter; "
        "revoke it first"
    )


class OwnAllowance(Rejected):
    """An allowance for oneself."""

    code = 2003
    text = "grantee {grantee}: is the granter; cannot self-grant fee authorization, name another"


class AllowanceExpired(Rejected):
    """An allowance whose end has come."""

    code = 2004
    text = (
        "expiration {expiration_ms}: fee allowance expired, the limit is after {time_ms} "
        "(milliseconds since 1970); ask {granter} for another"
    )


class AllowanceExceeded(Rejected):
    """A fee above what an allowance leaves."""

    code = 2005
    text = (
        "fee {fee}uflt: fee limit exceeded; {granter} allows {limit} {scope}; "
        "pay less, wait for the next period, or ask for more"
    )


class MessageNotAllowed(Rejected):
    """A message that an allowance isn't for."""

    code = 2006
    text = (
        "message {type_url}: message not allowed by the fee allowance of {granter}, which is for "
        "{limit}; pay the fee yourself"
    )


class InvalidAllowance(Rejected):
    """An allowance that can't be."""

    code = 2007
    text = "{field} {value}: no valid fee allowance, the limit is {limit}; change it"


ALLOWANCES = Table("feegrant/allowance", key=(Address, Address), record=Grant)
"""By grantee and granter."""
BY_GRANTER = Index("feegrant/by_granter", key=(Address, Address))
"""By granter and grantee."""
ENDS = Index("feegrant/end", key=(U64, Address, Address))
"""By expiration, grantee and granter, of those that end."""


def get_basic(allowance: Allowance) -> BasicAllowance:
    """Return what an allowance is in all."""
    if isinstance(allowance, AllowedMsgAllowance):
        return get_basic(allowance.allowance)
    return allowance.basic if isinstance(allowance, PeriodicAllowance) else allowance


def is_over(expiration: Time, time_ms: int) -> bool:
    """Whether the end of an allowance has come."""
    return 0 < expiration < time_ms


def find_grant(state: Reader, granter: Address, grantee: Address) -> Grant:
    """Return the allowance that one account has of another, or refuse."""
    names = {"granter": to_bech32(granter), "grantee": to_bech32(grantee)}
    return ALLOWANCES.require(state, (grantee, granter), NoSuchAllowance, **names)


def compute_left(state: Reader, block: Block, tx: Tx, fee_uflt: int) -> Allowance | None:
    """Return what a fee leaves of a transaction's allowance, None where nothing, or refuse."""
    allowance = find_grant(state, tx.granter, tx.payer).allowance
    granter, expiration = to_bech32(tx.granter), get_basic(allowance).expiration
    if is_over(expiration, block.time_ms):
        raise AllowanceExpired(expiration_ms=expiration, time_ms=block.time_ms, granter=granter)
    if not isinstance(allowance, AllowedMsgAllowance):
        return spend(allowance, block.time_ms, granter, fee_uflt)
    for url in tx.type_urls:
        if url not in allowance.allowed_messages:
            limit = ", ".join(allowance.allowed_messages)
            raise MessageNotAllowed(type_url=url, granter=granter, limit=limit)
    left = spend(allowance.allowance, block.time_ms, granter, fee_uflt)
    return None if left is None else replace(allowance, allowance=left)


def spend(
    allowance: PlainAllowance, time_ms: int, granter: str, fee_uflt: int
) -> PlainAllowance | None:
    """Return what a fee leaves of an allowance, None where nothing, or refuse."""
    if isinstance(allowance, BasicAllowance):
        if not allowance.spend_limit:
            return allowance
        left = subtract(allowance.spend_limit, granter, fee_uflt, "in all")
        return replace(allowance, spend_limit=left) if left else None
    allowance = begin_period(allowance, time_ms)
    can_spend = subtract(allowance.period_can_spend, granter, fee_uflt, "in this period")
    basic = spend(allowance.basic, time_ms, granter, fee_uflt)
    if not isinstance(basic, BasicAllowance):
        return None
    return replace(allowance, basic=basic, period_can_spend=can_spend)


def subtract(coins: tuple[Coin, ...], granter: str, fee_uflt: int, scope: str) -> tuple[Coin, ...]:
    """Return coins less a fee, none of them zero, or refuse."""
    limit = amount_of(coins, bank.DENOM)
    if fee_uflt > limit:
        shown = f"{limit}{bank.DENOM}"
        raise AllowanceExceeded(fee=fee_uflt, granter=granter, limit=shown, scope=scope)
    others = [coin for coin in coins if coin.denom != bank.DENOM]
    left = [Coin(bank.DENOM, U128(limit - fee_uflt))] if limit > fee_uflt else []
    return tuple(sorted([*others, *left], key=lambda coin: coin.denom))


def amount_of(coins: tuple[Coin, ...], denom: str) -> int:
    """Return how much of a denomination is among coins."""
    return sum([coin.amount for coin in coins if coin.denom == denom])


def begin_period(allowance: PeriodicAllowance, time_ms: int) -> PeriodicAllowance:
    """Return an allowance in the period of now; a period that was missed moves the next ones."""
    if time_ms < allowance.period_reset:
        return allowance
    total, limit = allowance.basic.spend_limit, allowance.period_spend_limit
    is_short = any(amount_of(total, coin.denom) < coin.amount for coin in limit)
    reset = allowance.period_reset + allowance.period
    if time_ms > reset:
        reset = time_ms + allowance.period
    can_spend = total if total and is_short else limit
    return replace(allowance, period_can_spend=can_spend, period_reset=Time(reset))


def use(state: State, ctx: Context, tx: Tx, fee_uflt: int) -> None:
    """Take a fee off the allowance that its transaction names."""
    left = compute_left(state, ctx.block, tx, fee_uflt)
    place = (tx.payer, tx.granter)
    ctx.emit(AllowanceUsed(tx.granter, tx.payer))
    if left is None:
        remove(state, ALLOWANCES.must(state, place))
        ctx.emit(AllowanceRevoked(tx.granter, tx.payer))
    else:
        ALLOWANCES.put(state, place, Grant(tx.granter, tx.payer, left))
        ctx.emit(AllowanceUpdated(tx.granter, tx.payer))


def remove(state: State, grant: Grant) -> None:
    """Forget an allowance."""
    ALLOWANCES.delete(state, (grant.grantee, grant.granter))
    BY_GRANTER.remove(state, (grant.granter, grant.grantee))
    expiration = get_basic(grant.allowance).expiration
    if expiration:
        ENDS.remove(state, (expiration, grant.grantee, grant.granter))


def check_allowance(allowance: Allowance, time_ms: int) -> None:
    """Refuse an allowance that makes no sense, or whose end has come."""
    if isinstance(allowance, AllowedMsgAllowance):
        urls = allowance.allowed_messages
        is_named = 0 < len(urls) <= ALLOWED_MESSAGES_MAX and all(urls)
        limit = f"1 to {ALLOWED_MESSAGES_MAX} type URLs"
        check("allowed_messages", ", ".join(urls[:ALLOWED_MESSAGES_MAX]), is_named, limit)
        check_allowance(allowance.allowance, time_ms)
        return
    basic = get_basic(allowance)
    check_coins("spend_limit", basic.spend_limit, may_be_empty=True)
    is_ahead = not is_over(basic.expiration, time_ms)
    check("expiration", basic.expiration, is_ahead, f"{time_ms} (milliseconds since 1970) or later")
    if isinstance(allowance, PeriodicAllowance):
        is_long = 0 < allowance.period <= PERIOD_MS_MAX
        check("period", allowance.period, is_long, f"1 to {PERIOD_MS_MAX} milliseconds")
        check_coins("period_spend_limit", allowance.period_spend_limit)
        check_coins("period_can_spend", allowance.period_can_spend, may_be_empty=True)
        known = [coin.denom for coin in basic.spend_limit]
        own = [coin.denom for coin in allowance.period_spend_limit]
        is_part = not known or all(denom in known for denom in own)
        check("period_spend_limit", ", ".join(own), is_part, "the coins of spend_limit")


def check_coins(field: str, coins: tuple[Coin, ...], *, may_be_empty: bool = False) -> None:
    """Refuse coins that are not positive, sorted and each there once."""
    is_valid = bank.are_valid_coins(coins) or (may_be_empty and not coins)
    check(field, bank.coins_text(coins), is_valid, "positive amounts, sorted, each denom once")


def check(field: str, value: object, is_valid: bool, limit: str) -> None:
    """Refuse a field of an allowance that isn't as it must be."""
    require(is_valid, InvalidAllowance, field=field, value=value, limit=limit)


def grant_allowance(state: State, ctx: Context, msg: GrantAllowance) -> None:
    """Let somebody pay fees with the signer's money; it gets an account if it has none."""
    grantee, time_ms = to_bech32(msg.grantee), ctx.block.time_ms
    check("grantee", "empty", bool(msg.grantee), "a pollen1… address")
    require(msg.grantee != msg.granter, OwnAllowance, grantee=grantee)
    check_allowance(msg.allowance, time_ms)
    known = ALLOWANCES.get(state, (msg.grantee, msg.granter))
    is_free = known is None or is_over(get_basic(known.allowance).expiration, time_ms)
    require(is_free, AllowanceExists, grantee=grantee)

    if known is not None:
        remove(state, known)
    auth.open_account(state, msg.grantee)
    grant = Grant(msg.granter, msg.grantee, msg.allowance)
    ALLOWANCES.put(state, (msg.grantee, msg.granter), grant)
    BY_GRANTER.add(state, (msg.granter, msg.grantee))
    expiration = get_basic(msg.allowance).expiration
    if expiration:
        ENDS.add(state, (expiration, msg.grantee, msg.granter))
    ctx.emit(AllowanceSet(msg.granter, msg.grantee))


def revoke_allowance(state: State, ctx: Context, msg: RevokeAllowance) -> None:
    """Take an allowance back."""
    remove(state, find_grant(state, msg.granter, msg.grantee))
    ctx.emit(AllowanceRevoked(msg.granter, msg.grantee))


def prune_allowances(state: State, ctx: Context, msg: PruneAllowances) -> None:
    """Remove allowances whose end has come, the first that ended first."""
    for _, grantee, granter in list(
        ENDS.keys(state, up_to=ctx.block.time_ms - 1, limit=PRUNED_MAX)
    ):
        remove(state, ALLOWANCES.must(state, (grantee, granter)))
    ctx.emit(AllowancesPruned(msg.pruner))


def allowance(state: Reader, request: AllowanceRequest) -> AllowanceResponse:
    """Answer with the allowance that one account has of another."""
    return AllowanceResponse(find_grant(state, request.granter, request.grantee))


def allowances(state: Reader, request: AllowancesRequest) -> AllowancesResponse:
    """Answer with the allowances that an account has."""
    page = get_page(ALLOWANCES, state, (request.grantee,), request.pagination)
    return AllowancesResponse(*page)


def allowances_by_granter(
    state: Reader, request: AllowancesByGranterRequest
) -> AllowancesByGranterResponse:
    """Answer with the allowances that an account gives."""
    keys, page = get_key_page(BY_GRANTER, state, (request.granter,), request.pagination)
    grants = [ALLOWANCES.must(state, (grantee, granter)) for granter, grantee in keys]
    return AllowancesByGranterResponse(tuple(grants), page)


def every_allowance_is_found_by_its_granter_and_its_end(state: Reader) -> None:
    """Every allowance stands under its two accounts, and is found by its granter and its end."""
    grants = [grant for _, grant in ALLOWANCES.items(state)]
    places = [(grant.grantee, grant.granter) for grant in grants]
    if places != [place for place, _ in ALLOWANCES.items(state)]:
        broken("every allowance stands under its two accounts")
    given = sorted((grant.granter, grant.grantee) for grant in grants)
    ends = [(get_basic(g.allowance).expiration, g.grantee, g.granter) for g in grants]
    if sorted(BY_GRANTER.keys(state)) != given:
        broken("every allowance is found by its granter")
    if sorted(ENDS.keys(state)) != sorted(end for end in ends if end[0]):
        broken("every allowance that ends is found by its end")


MODULE = Module(
    name="feegrant",
    package="cosmos.feegrant.v1beta1",
    tables=(ALLOWANCES, BY_GRANTER, ENDS),
    messages={
        GrantAllowance: Message(
            grant_allowance, gas=20_000, amino_name="cosmos-sdk/MsgGrantAllowance"
        ),
        RevokeAllowance: Message(
            revoke_allowance, gas=20_000, amino_name="cosmos-sdk/MsgRevokeAllowance"
        ),
        PruneAllowances: Message(
            prune_allowances, gas=100_000, amino_name="cosmos-sdk/MsgPruneAllowances"
        ),
    },
    queries={
        AllowanceRequest: Query(allowance, AllowanceResponse),
        AllowancesRequest: Query(allowances, AllowancesResponse),
        AllowancesByGranterRequest: Query(allowances_by_granter, AllowancesByGranterResponse),
    },
    events=(
        AllowanceSet,
        AllowanceUsed,
        AllowanceUpdated,
        AllowanceRevoked,
        AllowancesPruned,
    ),
    invariants=(every_allowance_is_found_by_its_granter_and_its_end,),
)
