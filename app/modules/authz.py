"""Authorizations: who may run which messages in another's name.

A granter lets a grantee run messages of a type in its name: any of them, or sends of so much to
some. The grantee signs one message that holds those, and pays for them; each is run as if its own
signer had signed it, all or none. The grantee's own need no authorization. What Cosmos' clients
know applies: an authorization that is used up is gone, one that ended counts no more, and another
takes the place of the one before. A message that holds others can't be held itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from app.kernel import packed
from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.errors import Rejected, broken, require
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module, Query
from app.kernel.packed import Packed, Runnable
from app.kernel.page import PageRequest, PageResponse, get_key_page, get_page
from app.kernel.record import U128, Address, Time
from app.kernel.store import Reader, State
from app.kernel.table import Index, Table
from app.kernel.tx import Coin
from app.modules import bank, gov, lower

MESSAGES_MAX = 64
RECIPIENTS_MAX = 64
KNOWN = packed.find_messages((*lower.MODULES, gov.MODULE))


@frozen
class GenericAuthorization:
    """Any message of a type."""

    TYPE_URL: ClassVar[str] = "/cosmos.authz.v1beta1.GenericAuthorization"
    msg: str
    """Its type URL."""


@frozen
class SendAuthorization:
    """Sends of so much in all."""

    TYPE_URL: ClassVar[str] = "/cosmos.bank.v1beta1.SendAuthorization"
    spend_limit: tuple[Coin, ...]
    """What is left."""
    allow_list: tuple[Address, ...]
    """To whom; nobody named is everybody."""


@frozen
class Grant:
    """An authorization and its end."""

    authorization: GenericAuthorization | SendAuthorization
    expiration: Time


@frozen
class GrantAuthorization:
    """An authorization as it is now."""

    granter: Address
    grantee: Address
    authorization: GenericAuthorization | SendAuthorization
    expiration: Time


@frozen
class GrantMessages:
    """Let somebody run messages of a type in the signer's name."""

    granter: Address
    grantee: Address
    grant: Grant


@frozen
class RevokeMessages:
    """Let somebody run messages of a type in the signer's name no more."""

    granter: Address
    grantee: Address
    msg_type_url: str


@frozen
class Exec:
    """Run messages in the names of those who would have to sign them."""

    grantee: Address
    msgs: tuple[Packed, ...]


@frozen
class ExecResponse:
    """That so many messages were run; what each answered is told by its events."""

    results: tuple[bytes, ...]
    """Empty bytes for each."""


@frozen
class GrantsRequest:
    """Ask what one account lets another run, of one type or all, a page at a time."""

    granter: Address
    grantee: Address
    msg_type_url: str
    pagination: PageRequest


@frozen
class GrantsResponse:
    """A page of authorizations."""

    grants: tuple[Grant, ...]
    pagination: PageResponse


@frozen
class GranterGrantsRequest:
    """Ask what an account lets others run, a page at a time."""

    granter: Address
    pagination: PageRequest


@frozen
class GranterGrantsResponse:
    """A page of authorizations."""

    grants: tuple[GrantAuthorization, ...]
    pagination: PageResponse


@frozen
class GranteeGrantsRequest:
    """Ask what an account may run for others, a page at a time."""

    grantee: Address
    pagination: PageRequest


@frozen
class GranteeGrantsResponse:
    """A page of authorizations."""

    grants: tuple[GrantAuthorization, ...]
    pagination: PageResponse


@frozen
class MessagesGranted:
    """Somebody may run messages of a type for another."""

    NAME: ClassVar[str] = "cosmos.authz.v1beta1.EventGrant"
    msg_type_url: str
    granter: Address
    grantee: Address


@frozen
class MessagesRevoked:
    """Somebody may run messages of a type for another no more."""

    NAME: ClassVar[str] = "cosmos.authz.v1beta1.EventRevoke"
    msg_type_url: str
    granter: Address
    grantee: Address


class NoSuchAuthorization(Rejected):
    """Messages that nobody has authorized."""

    code = 2101
    text = (
        "granter {granter}: authorization not found of {grantee} for {type_url}, the limit is what "
        "was granted; let it grant one, or let it sign"
    )


class AuthorizationExpired(Rejected):
    """An authorization whose end has come."""

    code = 2102
    text = (
        "expiration {expiration_ms}: authorization expired, the limit is after {time_ms} "
        "(milliseconds since 1970); ask {granter} for another"
    )


class InvalidAuthorization(Rejected):
    """An authorization that can't be."""

    code = 2103
    text = "{field} {value}: no valid authorization, the limit is {limit}; change it"


class BeyondAuthorization(Rejected):
    """A send of more, or to others, than was authorized."""

    code = 2104
    text = "{field} {value}: beyond what {granter} authorized, the limit is {limit}; ask for more"


class NothingToRun(Rejected):
    """An exec of no messages or of too many."""

    code = 2105
    text = "msgs: {count}, the limits are 1 to {limit}; name messages, or split them"


GRANTS = Table("authz/grant", key=(Address, Address, str), record=GrantAuthorization)
"""By granter, grantee and the messages' type URL."""
BY_GRANTEE = Index("authz/by_grantee", key=(Address, Address, str))
"""By grantee, granter and the messages' type URL."""


def url_of(authorization: GenericAuthorization | SendAuthorization) -> str:
    """Return what the messages are called that an authorization is for."""
    if isinstance(authorization, GenericAuthorization):
        return authorization.msg
    return bank.MODULE.type_url(bank.Send)


def require_grant(
    state: Reader, granter: Address, grantee: Address, type_url: str
) -> GrantAuthorization:
    """Return an authorization, or refuse."""
    return GRANTS.require(
        state,
        (granter, grantee, type_url),
        NoSuchAuthorization,
        granter=to_bech32(granter),
        grantee=to_bech32(grantee),
        type_url=type_url,
    )


def remove(state: State, ctx: Context, grant: GrantAuthorization) -> None:
    """Forget an authorization and say so."""
    url = url_of(grant.authorization)
    GRANTS.delete(state, (grant.granter, grant.grantee, url))
    BY_GRANTEE.remove(state, (grant.grantee, grant.granter, url))
    ctx.emit(MessagesRevoked(url, grant.granter, grant.grantee))


def use(state: State, ctx: Context, grantee: Address, type_url: str, found: Runnable) -> None:
    """Use the authorization for a message in another's name, or refuse."""
    grant = require_grant(state, found.signer, grantee, type_url)
    granter = to_bech32(grant.granter)
    if 0 < grant.expiration < ctx.block.time_ms:
        raise AuthorizationExpired(
            expiration_ms=grant.expiration, time_ms=ctx.block.time_ms, granter=granter
        )
    if isinstance(grant.authorization, GenericAuthorization):
        return
    left = compute_left(grant.authorization, found.message, granter)
    if left.spend_limit:
        place = (grant.granter, grantee, type_url)
        GRANTS.put(state, place, replace(grant, authorization=left))
    else:
        remove(state, ctx, grant)


def compute_left(
    authorization: SendAuthorization, send: bank.Send, granter: str
) -> SendAuthorization:
    """Return what a send leaves of an authorization, or refuse."""
    allowed = authorization.allow_list
    if allowed and send.to_address not in allowed:
        limit = ", ".join(map(to_bech32, allowed))
        to = to_bech32(send.to_address)
        raise BeyondAuthorization(field="to_address", value=to, granter=granter, limit=limit)
    left = {coin.denom: int(coin.amount) for coin in authorization.spend_limit}
    for coin in send.amount:
        left[coin.denom] = left.get(coin.denom, 0) - coin.amount
    if any(amount < 0 for amount in left.values()):
        limit, value = bank.coins_text(authorization.spend_limit), bank.coins_text(send.amount)
        raise BeyondAuthorization(field="amount", value=value, granter=granter, limit=limit)
    coins = [Coin(denom, U128(amount)) for denom, amount in left.items() if amount]
    return replace(authorization, spend_limit=tuple(coins))


def check_grant(msg: GrantMessages, time_ms: int) -> None:
    """Refuse an authorization that makes no sense, or whose end has come."""
    authorization, expiration = msg.grant.authorization, msg.grant.expiration
    grantee = to_bech32(msg.grantee) or "empty"
    is_other = msg.grantee not in (b"", msg.granter)
    check("grantee", grantee, is_other, "an account other than the granter")
    is_ahead = not 0 < expiration <= time_ms
    check("expiration", expiration, is_ahead, f"after {time_ms} (milliseconds since 1970)")
    if isinstance(authorization, GenericAuthorization):
        limit = "the type URL of a message that may be run in another's name"
        check("msg", authorization.msg, authorization.msg in KNOWN, limit)
        return
    coins, allowed = authorization.spend_limit, authorization.allow_list
    words = "positive amounts, sorted, each denom once"
    check("spend_limit", bank.coins_text(coins), bank.are_valid_coins(coins), words)
    is_short = len(dict.fromkeys(allowed)) == len(allowed) <= RECIPIENTS_MAX and all(allowed)
    check("allow_list", len(allowed), is_short, f"{RECIPIENTS_MAX} addresses, each once")


def check(field: str, value: object, is_valid: bool, limit: str) -> None:
    """Refuse a field of an authorization that isn't as it must be."""
    require(is_valid, InvalidAuthorization, field=field, value=value, limit=limit)


def grant_messages(state: State, ctx: Context, msg: GrantMessages) -> None:
    """Let somebody run messages of a type in the signer's name."""
    check_grant(msg, ctx.block.time_ms)

    url = url_of(msg.grant.authorization)
    grant = GrantAuthorization(
        msg.granter, msg.grantee, msg.grant.authorization, msg.grant.expiration
    )
    GRANTS.put(state, (msg.granter, msg.grantee, url), grant)
    BY_GRANTEE.add(state, (msg.grantee, msg.granter, url))
    ctx.emit(MessagesGranted(url, msg.granter, msg.grantee))


def revoke_messages(state: State, ctx: Context, msg: RevokeMessages) -> None:
    """Take an authorization back."""
    remove(state, ctx, require_grant(state, msg.granter, msg.grantee, msg.msg_type_url))


def exec(state: State, ctx: Context, msg: Exec) -> ExecResponse:
    """Run messages in the names of those who would have to sign them."""
    count = len(msg.msgs)
    require(0 < count <= MESSAGES_MAX, NothingToRun, count=count, limit=MESSAGES_MAX)

    for index, each in enumerate(msg.msgs):
        found = packed.unpack(KNOWN, each)
        if found is None:
            granter = grantee = to_bech32(msg.grantee)
            raise NoSuchAuthorization(granter=granter, grantee=grantee, type_url=each.type_url)
        if found.signer != msg.grantee:
            use(state, ctx, msg.grantee, each.type_url, found)
        packed.run(state, ctx, found, index)
    return ExecResponse((b"",) * count)


def compute_nested_gas(messages: tuple[Any, ...]) -> int:
    """Return the fixed gas of the messages that others hold."""
    return sum(
        [packed.compute_gas(KNOWN, each.msgs) for each in messages if isinstance(each, Exec)]
    )


def grants(state: Reader, request: GrantsRequest) -> GrantsResponse:
    """Answer with what one account lets another run."""
    granter, grantee, url = request.granter, request.grantee, request.msg_type_url
    if url:
        require_grant(state, granter, grantee, url)
    prefix = (granter, grantee, url) if url else (granter, grantee)
    rows, page = get_page(GRANTS, state, prefix, request.pagination)
    return GrantsResponse(tuple([Grant(row.authorization, row.expiration) for row in rows]), page)


def granter_grants(state: Reader, request: GranterGrantsRequest) -> GranterGrantsResponse:
    """Answer with what an account lets others run."""
    return GranterGrantsResponse(*get_page(GRANTS, state, (request.granter,), request.pagination))


def grantee_grants(state: Reader, request: GranteeGrantsRequest) -> GranteeGrantsResponse:
    """Answer with what an account may run for others."""
    keys, page = get_key_page(BY_GRANTEE, state, (request.grantee,), request.pagination)
    rows = [GRANTS.must(state, (granter, grantee, url)) for grantee, granter, url in keys]
    return GranteeGrantsResponse(tuple(rows), page)


def every_authorization_is_found_by_its_grantee(state: Reader) -> None:
    """Every authorization stands under its accounts and messages, and is found by its grantee."""
    places = []
    for place, row in GRANTS.items(state):
        places.append((row.granter, row.grantee, url_of(row.authorization)))
        if place != places[-1]:
            broken("every authorization stands under its accounts and messages")
    known = [(granter, grantee, url) for grantee, granter, url in BY_GRANTEE.keys(state)]
    if sorted(known) != sorted(places):
        broken("every authorization is found by its grantee")


MODULE = Module(
    name="authz",
    package="cosmos.authz.v1beta1",
    tables=(GRANTS, BY_GRANTEE),
    messages={
        GrantMessages: Message(
            grant_messages,
            gas=20_000,
            amino_name="cosmos-sdk/MsgGrant",
            type_url="/cosmos.authz.v1beta1.MsgGrant",
        ),
        RevokeMessages: Message(
            revoke_messages,
            gas=20_000,
            amino_name="cosmos-sdk/MsgRevoke",
            type_url="/cosmos.authz.v1beta1.MsgRevoke",
        ),
        Exec: Message(exec, gas=20_000, amino_name="cosmos-sdk/MsgExec", response=ExecResponse),
    },
    queries={
        GrantsRequest: Query(grants, GrantsResponse),
        GranterGrantsRequest: Query(granter_grants, GranterGrantsResponse),
        GranteeGrantsRequest: Query(grantee_grants, GranteeGrantsResponse),
    },
    events=(MessagesGranted, MessagesRevoked),
    invariants=(every_authorization_is_found_by_its_grantee,),
)
