"""`pollen validator`: become one, change what is known of one, leave jail, see them all.

A validator is operated by an account, which stakes for it. Its node has the key for consensus and
the one for the beacon, which makes the seeds of draws: `pollend vrf show` prints both.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from app.sdk.client import TxOutcome
from app.sdk.cosmos import (
    KEEP,
    CommissionRates,
    ConsensusKey,
    CreateValidator,
    Dec,
    Description,
    EditValidator,
    Operator,
    Unjail,
    consensus_address,
    dec_text,
    operator_text,
)
from app.sdk.protocol import (
    DENOM,
    U128,
    BeaconRequest,
    Coin,
    RegisterVrfKey,
    Validator,
    ValidatorsRequest,
)
from app.sdk.signer import Signer
from app.sdk.text import to_bech32
from fl_worker.cli.money import open_key_file
from fl_worker.cli.output import facts, money, show, to_json, waiting
from fl_worker.cli.session import connected, open_signer, run
from fl_worker.cli.settings import Misused, Settings, current, make_noun
from fl_worker.cli.typed import amount_option, bytes_option, read_as
from fl_worker.posting.reading import read_dec

app = make_noun()
FileOption = Annotated[
    Path | None,
    typer.Option(
        "--operator-file", help="Sign with this key, such as operator.json in a node's home."
    ),
]
STATUSES = ("unspecified", "unbonded", "unbonding", "bonded")
VrfOption = Annotated[bytes, bytes_option("Its key for the beacon; it counts two blocks later.")]


def rate_option(text: str) -> Any:
    """Return an option that takes a part of one, with up to 18 decimals."""
    return typer.Option(parser=read_as(read_dec, "RATE"), metavar="RATE", help=text)


@app.command("show")
def show_validators() -> None:
    """Show the last seed, and each validator: its stake, its operator and its keys."""
    settings = current()

    async def ask() -> tuple[Any, Any, Any]:
        async with connected(settings) as client:
            seed = (await client.query(BeaconRequest())).beacon
            keys = (await client.query(ValidatorsRequest())).validators
            return seed, keys, await client.validators()

    seed, keys, staked = run(ask())
    known = {row.validator: row for row in keys}
    rows = [read_validator(row, known) for row in staked]
    value = {"beacon": to_json(seed), "validators": rows}
    pairs = {"seed": seed.seed.hex(), "made at": f"height {seed.seed_height}"}
    show(settings, value, facts("Beacon", pairs), *map(describe, rows))


def read_validator(row: Any, keys: dict[bytes, Validator]) -> dict[str, Any]:
    """Return what there is to know of a validator."""
    address = consensus_address(ConsensusKey(row.consensus_pubkey.value[2:]))
    key = keys.get(address)
    return {
        "validator": address.hex(),
        "operator_address": row.operator_address,
        "moniker": row.description.moniker,
        "status": STATUSES[row.status],
        "jailed": row.jailed,
        "tokens_uflt": int(row.tokens),
        "commission": dec_text(int(row.commission.commission_rates.rate)),
        "operator": "" if key is None else to_bech32(key.operator),
        "vrf_key": "" if key is None else key.vrf_key.hex(),
        "next_vrf_key": "" if key is None else key.next_vrf_key.hex(),
        "next_height": 0 if key is None else key.next_height,
    }


def describe(row: dict[str, Any]) -> Any:
    """Return what there is to know of a validator, for people."""
    pairs = {
        "name": row["moniker"],
        "operator": row["operator_address"],
        "state": f"{row['status']}{', jailed' if row['jailed'] else ''}",
        "stake": money(row["tokens_uflt"]),
        "commission": row["commission"],
        "vrf key": row["vrf_key"] or "none yet: draws pass it by",
    }
    if row["next_height"]:
        pairs[f"from {row['next_height']}"] = row["next_vrf_key"]
    return facts(f"Validator {row['validator']}", pairs)


@app.command()
def create(
    pubkey: Annotated[bytes, bytes_option("The node's key for consensus.")],
    stake: Annotated[int, amount_option("What to stake of one's own.")],
    moniker: Annotated[str, typer.Option(help="Its name.")],
    *,
    vrf_key: VrfOption = b"",
    website: Annotated[str, typer.Option(help="Where to learn more.")] = "",
    details: Annotated[str, typer.Option(help="What else to know.")] = "",
    commission: Annotated[Any, rate_option("Its part of rewards, such as 0.1.")] = "0.1",
    commission_max: Annotated[Any, rate_option("The most it will ever be.")] = "0.2",
    commission_change: Annotated[Any, rate_option("The most it changes in a day.")] = "0.01",
    operator_file: FileOption = None,
) -> None:
    """Become a validator; the signing key's account operates it."""
    settings = current()
    signer = open_operator(settings, operator_file)
    rates = [Dec(rate) for rate in (commission, commission_max, commission_change)]
    creation = CreateValidator(
        description=Description(moniker, "", website, "", details),
        commission=CommissionRates(*rates),
        min_self_delegation=U128(1),
        delegator_address=signer.address,
        validator_address=Operator(signer.address),
        pubkey=ConsensusKey(pubkey),
        value=Coin(DENOM, U128(stake)),
    )
    address = consensus_address(creation.pubkey)
    outcome = run(submit(settings, signer, [creation, *registrations(signer, address, vrf_key)]))
    value = {
        "tx_hash": outcome.hash,
        "height": outcome.height,
        "validator": address.hex(),
        "operator_address": operator_text(signer.address),
        "stake_uflt": stake,
    }
    words = f"{value['operator_address']} is a validator since block {outcome.height}."
    advice = "" if vrf_key else " Draws pass it by until it has a key: pollen validator edit."
    show(settings, value, f"{words}{advice}")


@app.command()
def edit(
    validator: Annotated[
        Any,
        typer.Argument(
            parser=read_as(bytes.fromhex, "HEX"),
            metavar="[VALIDATOR]",
            help="Its address, as in block headers; only for a key.",
        ),
    ] = b"",
    *,
    vrf_key: VrfOption = b"",
    moniker: Annotated[str, typer.Option(help="Its name.")] = KEEP,
    website: Annotated[str, typer.Option(help="Where to learn more.")] = KEEP,
    details: Annotated[str, typer.Option(help="What else to know.")] = KEEP,
    commission: Annotated[Any, rate_option("Its part of rewards, such as 0.1.")] = None,
    operator_file: FileOption = None,
) -> None:
    """Change what is known of one's validator; another key counts two blocks later."""
    settings = current()
    if vrf_key and not validator:
        raise Misused("--vrf-key: say whose, VALIDATOR; `pollend vrf show` prints it")
    signer = open_operator(settings, operator_file)
    texts = Description(moniker, KEEP, website, KEEP, details)
    rate = "" if commission is None else str(commission)
    change = EditValidator(texts, Operator(signer.address), rate, "")
    is_changed = rate or {moniker, website, details} != {KEEP}
    messages = [change] if is_changed else []
    messages += registrations(signer, validator, vrf_key)
    if not messages:
        raise Misused("nothing to change: give --vrf-key, --moniker, --website or --commission")
    outcome = run(submit(settings, signer, messages))
    value = {
        "tx_hash": outcome.hash,
        "height": outcome.height,
        "validator": validator.hex(),
        "vrf_key": vrf_key.hex(),
    }
    words = f"Changed in block {outcome.height}."
    if vrf_key:
        words = f"{vrf_key.hex()} counts from height {outcome.height + 2} on."
    show(settings, value, words)


@app.command()
def unjail(operator_file: FileOption = None) -> None:
    """Let one's validator take part again, once the time for which it was jailed is over."""
    settings = current()
    signer = open_operator(settings, operator_file)
    outcome = run(submit(settings, signer, [Unjail(Operator(signer.address))]))
    value = {"tx_hash": outcome.hash, "height": outcome.height}
    name = operator_text(signer.address)
    show(settings, value, f"{name} is free since block {outcome.height}.")


def registrations(signer: Signer, validator: bytes, vrf_key: bytes) -> list[Any]:
    """Return what gives a validator a key for the beacon, if there is one to give."""
    return [RegisterVrfKey(signer.address, validator, vrf_key)] if vrf_key else []


def open_operator(settings: Settings, path: Path | None) -> Signer:
    """Return the key that operates a validator: the one in a file, or the signing key."""
    return open_signer(settings) if path is None else open_key_file(path)


async def submit(settings: Settings, signer: Signer, messages: Sequence[Any]) -> TxOutcome:
    """Sign messages and wait until they are in a block."""
    async with connected(settings) as client:
        with waiting(settings, "Waiting for a block…"):
            return await client.submit(signer, messages)
