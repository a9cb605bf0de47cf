"""What all participants do with their registration: look at it, bond or unbond, pause, go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from app.sdk.client import TxOutcome
from app.sdk.protocol import (
    U64,
    Address,
    Bond,
    EditRegistration,
    Registration,
    StandingRequest,
    Unbond,
)
from app.sdk.text import to_bech32
from fl_worker.cli.output import facts, money, show, table, to_json, waiting
from fl_worker.cli.running import find_registration
from fl_worker.cli.session import connected, find_address, open_signer, own_journal, run
from fl_worker.cli.settings import Misused, Settings, current
from fl_worker.cli.typed import AmountArgument

Make = Callable[[Address, Registration], Any]


def status() -> None:
    """Show the registration, the bond, the reputation, and the jobs that were decided on."""
    settings = current()
    me = find_address(settings, "")

    async def ask() -> tuple[Any, Any, int]:
        async with connected(settings) as client:
            standing = (await client.query(StandingRequest(me))).standing
            return await find_registration(client, me), standing, await client.balance(me)

    registration, standing, balance_uflt = run(ask())
    if registration is None:
        raise Misused(f"{to_bech32(me)} is registered in no role; start one with --bond")
    decisions = read_decisions(settings)
    value = {
        "registration": to_json(registration),
        "standing": to_json(standing),
        "balance_uflt": balance_uflt,
        "jobs": decisions,
    }
    pairs = {
        "address": to_bech32(me),
        "role": registration.role.name.lower() + (", paused" if registration.paused else ""),
        "balance": money(balance_uflt),
        "bond": money(registration.bonded_uflt),
        "locked": money(registration.locked_uflt),
        "held": "yes, in the first settled rounds" if registration.held else "no",
        "pay goes to": to_bech32(registration.payout_address),
        "reputation": f"{standing.reputation_ppm / 1e6:.3f}",
        "rounds": f"{standing.success_count} of {standing.round_count} as asked",
    }
    rows = [[job_id, decision] for job_id, decision in decisions.items()]
    show(settings, value, facts("", pairs), table("", ["job", "decision"], rows))


def read_decisions(settings: Settings) -> dict[int, str]:
    """Return what was decided of each job, by its own memory."""
    with own_journal(settings) as journal:
        return {} if journal is None else journal.decisions()


def bond(amount: AmountArgument) -> None:
    """Add to the bond."""
    words = f"The bond grew by {money(amount)}."
    submit(lambda me, _: Bond(me, U64(amount)), words)


def unbond(amount: AmountArgument) -> None:
    """Take unlocked money out of the bond; it arrives after the unbonding time."""
    words = f"{money(amount)} leave the bond; see pollen query bonds unbondings."
    submit(lambda me, _: Unbond(me, U64(amount)), words)


def pause() -> None:
    """Be drawn no more, before you stop for long; what you are drawn for is still owed."""
    submit(lambda _, known: edit(known, is_paused=True), "Paused: you are not drawn any more.")


def resume() -> None:
    """Be drawn again."""
    submit(lambda _, known: edit(known, is_paused=False), "You are drawn again.")


def edit(known: Registration, *, is_paused: bool) -> EditRegistration:
    """Return the message that changes nothing but the pause."""
    payout, endpoint, key = known.payout_address, known.endpoint, known.reader_key
    return EditRegistration(known.participant, payout, endpoint, key, is_paused)


def submit(make: Make, words: str) -> None:
    """Submit a message about the own registration."""
    settings = current()
    signer = open_signer(settings)

    async def change() -> TxOutcome:
        async with connected(settings) as client:
            known = await find_registration(client, signer.address)
            if known is None:
                me = to_bech32(signer.address)
                raise Misused(f"{me} is registered in no role; start one with --bond")
            with waiting(settings, "Waiting for a block…"):
                return await client.submit(signer, [make(signer.address, known)])

    outcome = run(change())
    show(settings, {"tx_hash": outcome.hash, "height": outcome.height}, words)


def add_registration_commands(app: typer.Typer) -> None:
    """Give a noun the commands above."""
    for command in (status, bond, unbond, pause, resume):
        app.command()(command)
