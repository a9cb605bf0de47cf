"""`pollen validator`: the validators' keys for the beacon, which makes the seeds of draws."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.sdk.client import TxOutcome
from app.sdk.protocol import BeaconRequest, RegisterVrfKey, Validator, ValidatorsRequest
from app.sdk.text import to_bech32
from fl_worker.cli.money import open_faucet
from fl_worker.cli.output import facts, show, to_json, waiting
from fl_worker.cli.session import connected, open_signer, run
from fl_worker.cli.settings import current, make_noun
from fl_worker.cli.typed import bytes_argument, bytes_option

app = make_noun()


@app.command("show")
def show_validators() -> None:
    """Show the last seed, and each validator's operator and keys."""
    settings = current()

    async def ask() -> tuple[Any, Any]:
        async with connected(settings) as client:
            seed = (await client.query(BeaconRequest())).beacon
            return seed, (await client.query(ValidatorsRequest())).validators

    seed, validators = run(ask())
    value = {"beacon": to_json(seed), "validators": [to_json(row) for row in validators]}
    pairs = {"seed": seed.seed.hex(), "made at": f"height {seed.seed_height}"}
    show(settings, value, facts("Beacon", pairs), *map(describe, validators))


def describe(validator: Validator) -> Any:
    """Return what there is to know of a validator, for people."""
    pairs = {"operator": to_bech32(validator.operator), "vrf key": validator.vrf_key.hex()}
    if validator.next_height:
        pairs[f"from {validator.next_height}"] = validator.next_vrf_key.hex()
    return facts(f"Validator {validator.validator.hex()}", pairs)


@app.command()
def edit(
    validator: Annotated[bytes, bytes_argument("VALIDATOR", "Its address, as in block headers.")],
    vrf_key: Annotated[bytes, bytes_option("A key that `pollend vrf new` made for it.")],
    is_faucet: Annotated[
        bool, typer.Option("--faucet", help="Sign as the faucet, a test chain's operator.")
    ] = False,
) -> None:
    """Give a validator another key for the beacon; it counts two blocks later."""
    settings = current()
    signer = open_faucet(settings) if is_faucet else open_signer(settings)

    async def submit() -> TxOutcome:
        message = RegisterVrfKey(signer.address, validator, vrf_key)
        async with connected(settings) as client:
            with waiting(settings, "Waiting for a block…"):
                return await client.submit(signer, [message])

    outcome = run(submit())
    value = {
        "tx_hash": outcome.hash,
        "height": outcome.height,
        "validator": validator.hex(),
        "vrf_key": vrf_key.hex(),
    }
    words = f"{vrf_key.hex()} counts from height {outcome.height + 2} on."
    show(settings, value, words)
