"""`pollen stake`: stake money with validators, move it, take it out, and have what it earns.

A validator is named by its operator: the pollenvaloper1… address that `pollen validator show`
lists, the same account's pollen1… address, or a key's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from app.sdk.client import Stakes, TxOutcome
from app.sdk.cosmos import (
    BeginRedelegate,
    Delegate,
    Operator,
    SetWithdrawAddress,
    Undelegate,
    WithdrawDelegatorReward,
    WithdrawValidatorCommission,
    operator_text,
)
from app.sdk.protocol import DENOM, U128, Coin
from app.sdk.signer import Signer
from app.sdk.text import from_bech32, to_bech32
from fl_worker.cli.output import date, facts, money, show, table, to_json
from fl_worker.cli.session import connected, find_address, run
from fl_worker.cli.settings import Misused, Settings, current, make_noun
from fl_worker.cli.typed import AmountArgument
from fl_worker.cli.validator import FileOption, open_operator, submit

app = make_noun()
OPERATOR_PREFIX = "pollenvaloper"
OPERATOR_HELP = "A pollenvaloper1… address (pollen validator show), or who operates it."
ValidatorArgument = Annotated[str, typer.Argument(metavar="VALIDATOR", help=OPERATOR_HELP)]


@app.callback()
def about() -> None:
    """Stake money with validators, for a part of the fees."""


@app.command()
def add(
    validator: ValidatorArgument, amount: AmountArgument, operator_file: FileOption = None
) -> None:
    """Stake money with a validator: it earns with it, and is slashed with it."""
    settings = current()
    signer, operator = open_operator(settings, operator_file), find_operator(settings, validator)
    message = Delegate(signer.address, operator, Coin(DENOM, U128(amount)))
    outcome = run(submit(settings, signer, [message]))
    words = f"{money(amount)} staked with {operator_text(operator)} in block {outcome.height}."
    show(settings, {**said(outcome, operator), "amount_uflt": amount}, words)


@app.command()
def take(
    validator: ValidatorArgument, amount: AmountArgument, operator_file: FileOption = None
) -> None:
    """Take staked money out; it arrives after the unbonding time."""
    settings = current()
    signer, operator = open_operator(settings, operator_file), find_operator(settings, validator)
    message = Undelegate(signer.address, operator, Coin(DENOM, U128(amount)))
    outcome = run(submit(settings, signer, [message]))
    (answer,) = outcome.responses
    given, until_s = answer.amount.amount, answer.completion_time // 1_000
    value = {**said(outcome, operator), "amount_uflt": given, "until_unix_s": until_s}
    show(settings, value, f"{money(given)} arrive on {date(until_s)}.")


@app.command()
def move(
    source: Annotated[str, typer.Argument(metavar="FROM", help=OPERATOR_HELP)],
    destination: Annotated[str, typer.Argument(metavar="TO", help="Another one.")],
    amount: AmountArgument,
    operator_file: FileOption = None,
) -> None:
    """Move staked money from one validator to another, at once."""
    settings = current()
    signer = open_operator(settings, operator_file)
    place = find_operator(settings, source), find_operator(settings, destination)
    message = BeginRedelegate(signer.address, *place, Coin(DENOM, U128(amount)))
    outcome = run(submit(settings, signer, [message]))
    (answer,) = outcome.responses
    value = {
        "tx_hash": outcome.hash,
        "height": outcome.height,
        "from": operator_text(place[0]),
        "to": operator_text(place[1]),
        "amount_uflt": amount,
        "until_unix_s": answer.completion_time // 1_000,
    }
    until = date(value["until_unix_s"])
    show(settings, value, f"{money(amount)} moved; the first may still lose it until {until}.")


@app.command("show")
def show_stakes(
    who: Annotated[
        str, typer.Argument(help="An address, or the name of a key. (default: the signing key)")
    ] = "",
) -> None:
    """Show what an account has staked, what that has earned, and what is on its way out."""
    settings = current()
    account = find_address(settings, who)

    async def ask() -> tuple[Stakes, Sequence[Any]]:
        async with connected(settings) as client:
            return await client.stakes(account), await client.validators()

    found, validators = run(ask())
    names = {row.operator_address: row.description.moniker for row in validators}
    value = {"account": to_bech32(account), **to_json(found)}
    show(settings, value, *describe(found, names))


def describe(found: Stakes, names: Mapping[str, str]) -> list[Any]:
    """Return an account's stakes for people."""
    staked = [
        [
            names.get(row.validator, ""),
            row.validator,
            money(row.amount_uflt),
            money(row.reward_uflt),
        ]
        for row in found.stakes
    ]
    leaving = [
        [row.validator, money(row.amount_uflt), date(row.release_unix_s)]
        for row in found.unbondings
    ]
    moved = [
        [row.source, row.destination, money(row.amount_uflt), date(row.release_unix_s)]
        for row in found.moves
    ]
    pairs = {"rewards go to": found.recipient}
    if found.commission_uflt is not None:
        pairs["commission"] = money(found.commission_uflt)
    tables = [table("Staked", ["name", "validator", "stake", "earned"], staked), facts("", pairs)]
    if leaving:
        tables.append(table("On its way out", ["from", "amount", "arrives"], leaving))
    if moved:
        tables.append(table("Moved", ["from", "to", "amount", "slashable until"], moved))
    return tables


@app.command()
def withdraw(
    validator: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VALIDATOR]…", help=f"{OPERATOR_HELP} (default: all)"),
    ] = None,
    *,
    has_commission: Annotated[
        bool, typer.Option("--commission", help="Also what one's validator keeps as commission.")
    ] = False,
    operator_file: FileOption = None,
) -> None:
    """Be paid what one's stake has earned."""
    settings = current()
    signer = open_operator(settings, operator_file)
    named = [find_operator(settings, each) for each in validator or ()]
    outcome = run(withdraw_from(settings, signer, named, has_commission=has_commission))
    paid = sum(coin.amount for answer in outcome.responses for coin in answer.amount)
    value = {"tx_hash": outcome.hash, "height": outcome.height, "paid_uflt": paid}
    show(settings, value, f"{money(paid)} paid in block {outcome.height}.")


async def withdraw_from(
    settings: Settings, signer: Signer, named: list[Operator], *, has_commission: bool
) -> TxOutcome:
    """Withdraw from the validators that are named, or from all with which something was earned."""
    async with connected(settings) as client:
        found = await client.stakes(signer.address)
    earned = [read_operator(row.validator) for row in found.stakes if row.reward_uflt]
    messages: list[Any] = [
        WithdrawDelegatorReward(signer.address, operator) for operator in named or earned
    ]
    if has_commission:
        messages.append(WithdrawValidatorCommission(Operator(signer.address)))
    if not messages:
        raise Misused(f"{to_bech32(signer.address)} has earned nothing yet; see pollen stake show")
    return await submit(settings, signer, messages)


@app.command()
def recipient(
    who: Annotated[str, typer.Argument(help="A pollen1… address, or the name of a key.")],
    operator_file: FileOption = None,
) -> None:
    """Let another account have what one's stake earns; oneself: no more."""
    settings = current()
    signer, to = open_operator(settings, operator_file), find_address(settings, who)
    outcome = run(submit(settings, signer, [SetWithdrawAddress(signer.address, to)]))
    value = {"tx_hash": outcome.hash, "height": outcome.height, "recipient": to_bech32(to)}
    show(settings, value, f"{value['recipient']} has what the stake earns.")


def find_operator(settings: Settings, who: str) -> Operator:
    """Return the operator that an address of either kind or a key's name stands for."""
    if who.startswith(OPERATOR_PREFIX):
        return read_operator(who)
    return Operator(find_address(settings, who))


def read_operator(text: str) -> Operator:
    """Return the operator that its address shows."""
    try:
        return Operator(from_bech32(text, OPERATOR_PREFIX))
    except ValueError as error:
        raise Misused(str(error)) from None


def said(outcome: TxOutcome, operator: Operator) -> dict[str, Any]:
    """Return in which transaction something was done with a validator."""
    return {
        "tx_hash": outcome.hash,
        "height": outcome.height,
        "validator": operator_text(operator),
    }
