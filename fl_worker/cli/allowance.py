"""`pollen allowance`: let others, such as a job's workers, pay fees with your money."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from app.sdk.client import Client, TxOutcome
from app.sdk.cosmos import (
    AllowancesByGranterRequest,
    AllowancesRequest,
    AllowedMsgAllowance,
    BasicAllowance,
    Duration,
    Grant,
    GrantAllowance,
    PageRequest,
    PeriodicAllowance,
    PruneAllowances,
    RevokeAllowance,
    Time,
    type_url_of,
)
from app.sdk.protocol import (
    DENOM,
    U32,
    U64,
    U128,
    Address,
    Bond,
    CandidatesRequest,
    Coin,
    CommitUpdate,
    EditRegistration,
    JoinJob,
    LeaveJob,
    Register,
    RevealUpdate,
    Unbond,
)
from app.sdk.text import to_bech32
from fl_worker.cli.output import date, money, show, table, to_json, waiting
from fl_worker.cli.session import connected, find_address, name_of, open_signer, run
from fl_worker.cli.settings import Misused, Settings, current, make_noun
from fl_worker.cli.typed import amount_option

app = make_noun()

DAY_MS = 86_400_000
PAGE = 1_000
WORKER_MESSAGES = (
    Register, EditRegistration, Bond, Unbond, JoinJob, LeaveJob, CommitUpdate, RevealUpdate,
)  # fmt: skip
"""What a worker signs."""
WhoArgument = Annotated[
    list[str] | None, typer.Argument(metavar="WHO", help="Addresses, or names of keys.")
]


@app.callback()
def about() -> None:
    """Let others pay fees with your money."""


@app.command()
def give(
    who: WhoArgument = None,
    *,
    limit: Annotated[int, amount_option("The most in all, for each. (default: no limit)")] = 0,
    a_day: Annotated[int, amount_option("The most in a day, for each.")] = 0,
    days: Annotated[int, typer.Option(min=1, max=36_500, help="For how long.")] = 30,
    job: Annotated[int, typer.Option(min=0, help="Everybody who has joined this job too.")] = 0,
    is_for_work: Annotated[
        bool, typer.Option("--for-work", help="Only for what workers sign: to join, to train.")
    ] = False,
) -> None:
    """Pay the fees of others, such as workers, who then need no money for them."""
    settings = current()
    until_ms = int(time.time() * 1_000) + days * DAY_MS
    allowance = make_allowance(limit, a_day, until_ms, is_for_work=is_for_work)
    named = [find_address(settings, each) for each in who or ()]
    outcome, grantees = run(grant(settings, named, job, allowance))
    value = {
        "tx_hash": outcome.hash,
        "height": outcome.height,
        "grantees": [to_bech32(each) for each in grantees],
        "allowance": {"@type": type(allowance).__name__, **to_json(allowance)},
    }
    words = f"{len(grantees)} may pay fees with your money for {days} days."
    mine = to_bech32(open_signer(settings).address)
    show(settings, value, words, f"They say so: pollen worker start --fee-granter {mine}")


def make_allowance(limit_uflt: int, a_day_uflt: int, until_ms: int, *, is_for_work: bool) -> Any:
    """Return the allowance that options ask for."""
    basic = BasicAllowance(coins(limit_uflt), Time(until_ms))
    plain: BasicAllowance | PeriodicAllowance = basic
    if a_day_uflt:
        begin = Time(until_ms % DAY_MS)  # Long ago, so that the first day begins at the first fee.
        daily = coins(a_day_uflt)
        plain = PeriodicAllowance(basic, Duration(DAY_MS), daily, daily, begin)
    if not is_for_work:
        return plain
    return AllowedMsgAllowance(plain, tuple([type_url_of(kind) for kind in WORKER_MESSAGES]))


def coins(amount_uflt: int) -> tuple[Coin, ...]:
    """Return an amount as a limit; nothing is none."""
    return (Coin(DENOM, U128(amount_uflt)),) if amount_uflt else ()


async def grant(
    settings: Settings, named: list[Address], job_id: int, allowance: Any
) -> tuple[TxOutcome, list[Address]]:
    """Allow those who are named, and a job's candidates who have no allowance yet."""
    signer = open_signer(settings)
    async with connected(settings) as client:
        if job_id:
            have = [each.grantee for each in await find_given(client, signer.address)]
            joined = await find_candidates(client, job_id)
            named += [each for each in joined if each not in (*named, *have, signer.address)]
        if not named:
            raise Misused("nobody to allow anything; name somebody, or --job with new candidates")
        messages = [GrantAllowance(signer.address, each, allowance) for each in named]
        with waiting(settings, "Waiting for a block…"):
            return await client.submit(signer, messages), named


async def find_candidates(client: Client, job_id: int) -> list[Address]:
    """Return who has joined a job."""
    found: list[Address] = []
    while True:
        last = found[-1] if found else Address(b"")
        page = (await client.query(CandidatesRequest(U64(job_id), last, U32(PAGE)))).candidates
        found += [each.worker for each in page]
        if len(page) < PAGE:
            return found


@app.command()
def revoke(who: WhoArgument = None) -> None:
    """Let others pay fees with your money no more."""
    settings = current()
    signer = open_signer(settings)
    named = [find_address(settings, each) for each in who or ()]
    if not named:
        raise Misused("nobody is named; see who may: pollen allowance list")
    messages = [RevokeAllowance(signer.address, each) for each in named]
    outcome = run(submit(settings, messages))
    value = {"tx_hash": outcome.hash, "height": outcome.height}
    show(settings, value, f"{len(named)} pay fees with your money no more.")


@app.command()
def prune() -> None:
    """Clear away anybody's allowances that have ended, 75 at a time."""
    settings = current()
    outcome = run(submit(settings, [PruneAllowances(open_signer(settings).address)]))
    show(settings, {"tx_hash": outcome.hash, "height": outcome.height}, "Cleared away.")


async def submit(settings: Settings, messages: list[Any]) -> TxOutcome:
    """Submit messages of the signing key."""
    async with connected(settings) as client:
        with waiting(settings, "Waiting for a block…"):
            return await client.submit(open_signer(settings), messages)


@app.command("list")
def list_allowances(
    who: Annotated[
        str, typer.Argument(help="An address, or the name of a key. (default: the signing key)")
    ] = "",
) -> None:
    """Show whose fees an account pays, and who pays its own."""
    settings = current()
    account = find_address(settings, who)

    async def ask() -> tuple[list[Grant], list[Grant]]:
        async with connected(settings) as client:
            return await find_given(client, account), await find_had(client, account)

    given, had = run(ask())
    value = {"given": [to_json(each) for each in given], "had": [to_json(each) for each in had]}
    rows = [["to", name_of(each.grantee), *describe(each.allowance)] for each in given]
    rows += [["from", name_of(each.granter), *describe(each.allowance)] for each in had]
    show(settings, value, table("", ["", "account", "left", "until", "for"], rows))


def describe(allowance: Any) -> list[str]:
    """Return what is left of an allowance, until when, and for what."""
    if isinstance(allowance, AllowedMsgAllowance):
        names = [url.rpartition(".")[2].removeprefix("Msg") for url in allowance.allowed_messages]
        return [*describe(allowance.allowance)[:2], ", ".join(names)]
    basic = allowance.basic if isinstance(allowance, PeriodicAllowance) else allowance
    left = ", ".join(map(show_coin, basic.spend_limit)) or "no limit"
    if isinstance(allowance, PeriodicAllowance):
        each = ", ".join(map(show_coin, allowance.period_spend_limit))
        left += f", {each} every {allowance.period / DAY_MS:g} days"
    end = date(basic.expiration / 1_000)
    return [left, end if basic.expiration else "for ever", "anything"]


def show_coin(coin: Coin) -> str:
    """Write an amount of any denomination."""
    return money(coin.amount) if coin.denom == DENOM else f"{coin.amount}{coin.denom}"


async def find_given(client: Client, granter: Address) -> list[Grant]:
    """Return all allowances that an account gives."""
    return await all_pages(client, AllowancesByGranterRequest, granter)


async def find_had(client: Client, grantee: Address) -> list[Grant]:
    """Return all allowances that an account has."""
    return await all_pages(client, AllowancesRequest, grantee)


async def all_pages(client: Client, kind: Any, account: Address) -> list[Grant]:
    """Return the allowances on all pages of an answer."""
    found: list[Grant] = []
    key = b""
    while True:
        page = PageRequest(key, U64(0), U64(PAGE), count_total=False, reverse=False)
        answer = await client.query(kind(account, page))
        found += answer.allowances
        key = answer.pagination.next_key
        if not key:
            return found
