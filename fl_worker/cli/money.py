"""`pollen send`, `pollen balance`, `pollen faucet`: money from one account to another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from app.sdk.client import TxOutcome
from app.sdk.protocol import DENOM, U128, Address, Coin, Send
from app.sdk.signer import Signer
from app.sdk.text import to_bech32
from fl_worker.cli.output import money, show, waiting
from fl_worker.cli.session import connected, find_address, open_signer, run
from fl_worker.cli.settings import Misused, Settings, current
from fl_worker.cli.typed import AmountArgument, amount_argument

FAUCET_FILE = "faucet.json"
FAUCET_UFLT = 10_000_000_000


def send(
    to: Annotated[str, typer.Argument(help="A pollen1… address, or the name of a key.")],
    amount: AmountArgument,
    memo: Annotated[str, typer.Option(help="A note that everybody can read.")] = "",
) -> None:
    """Send money from the signing key's account."""
    settings = current()
    run(transfer(settings, open_signer(settings), find_address(settings, to), amount, memo))


def balance(
    who: Annotated[
        str, typer.Argument(help="An address, or the name of a key. (default: the signing key)")
    ] = "",
) -> None:
    """Show what an account holds."""
    settings = current()
    address = find_address(settings, who)

    async def ask() -> int:
        async with connected(settings) as client:
            return await client.balance(address)

    uflt = run(ask())
    shown = to_bech32(address)
    show(settings, {"address": shown, "balance_uflt": uflt}, f"{shown}  {money(uflt)}")


def faucet(
    who: Annotated[
        str, typer.Argument(help="An address, or the name of a key. (default: the signing key)")
    ] = "",
    amount: Annotated[int, amount_argument("(default: 10000flt)")] = FAUCET_UFLT,
) -> None:
    """Take money from the faucet of a local network, whose key lies in its folder."""
    settings = current()
    to = find_address(settings, who)
    run(transfer(settings, open_faucet(settings), to, amount, "faucet"))


def open_faucet(settings: Settings) -> Signer:
    """Return the key that holds a local network's money."""
    path = settings.localnet / FAUCET_FILE
    if not path.exists():
        raise Misused(
            f"{path} isn't there; start a local network (pollend localnet start), or say where "
            "one is: --localnet FOLDER"
        )
    return open_key_file(path)


def open_key_file(path: Path) -> Signer:
    """Return the key in a file that `pollend` wrote: a faucet's or an operator's."""
    try:
        return Signer(bytes.fromhex(json.loads(path.read_text())["private_key_hex"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Misused(f"{path}: no key can be read from it: {error}") from None


async def transfer(
    settings: Settings, signer: Signer, to: Address, amount_uflt: int, memo: str
) -> None:
    """Send money, and show it."""
    message = Send(signer.address, to, (Coin(DENOM, U128(amount_uflt)),))
    async with connected(settings) as client:
        with waiting(settings, "Waiting for a block…"):
            outcome: TxOutcome = await client.submit(signer, [message], memo=memo)
    value = {
        "tx_hash": outcome.hash,
        "height": outcome.height,
        "from": to_bech32(signer.address),
        "to": to_bech32(to),
        "amount_uflt": amount_uflt,
    }
    show(settings, value, f"{money(amount_uflt)} to {value['to']}, in block {outcome.height}")
