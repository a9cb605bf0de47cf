"""Each REST path that Keplr and the explorer Ping.pub use answers in the shape of the Cosmos SDK.

The shapes are those of a real chain of the SDK, recorded after one transaction that does a bit of
everything; the same is done here. `sdk/` holds the paths, the recorder and what it recorded:
`cd tests/clients/sdk && go run . paths.json > answers.json`.
"""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.kernel.bech32 import OPERATOR_PREFIX, from_bech32
from app.kernel.record import U64, U128, Operator, Time
from app.kernel.tx import Coin
from app.modules import authz, bank, feegrant, gov, staking
from app.sdk.client import Client, TxOutcome
from tests.build import FLT
from tests.build_staking import a_stake
from tests.clients.conftest import World
from tests.clients.test_rest import Answer

RECORDED = json.loads((Path(__file__).parent / "sdk" / "answers.json").read_text())
NEWER = {
    *("sig_verify_cost_mldsa65", "max_supply", "key_rotation_fee"),
    *("earliest_block_height", "latest_block_height"),
}
"""Fields that the messages of Cosmos' clients don't have yet."""
FREE = {"value", "version", "git_commit", "build_deps", "channels"}
"""What is whatever a chain's own is; channels are shown by the engine's RPC."""
KINDS = {"a whole number": re.compile(r"-?\d+"), "a decimal": re.compile(r"-?\d+\.\d{18}")}
UNRECORDED: dict[str, Any] = {
    "/cosmos/params/v1beta1/params?subspace=baseapp&key=BlockParams": {
        "param": {"subspace": "baseapp", "key": "BlockParams", "value": "{}"}
    },
    "/cosmos/gov/v1beta1/params/tallying": {
        "voting_params": {"voting_period": "0s"},
        "deposit_params": {"min_deposit": [], "max_deposit_period": "0s"},
        "tally_params": dict.fromkeys(("quorum", "threshold", "veto_threshold"), f"0.{0:018d}"),
    },
    "/cosmos/upgrade/v1beta1/current_plan": {"plan": None},
}
"""Paths of older clients, which that chain doesn't answer."""


GIFT = (Coin("uflt", U128(1)),)
SEND_URL = "/cosmos.bank.v1beta1.MsgSend"


@pytest.fixture(scope="module")
def names(world: World) -> dict[str, str]:
    """What stands for the names in a path, once Kim has done what the recorder's account has."""
    operator = Answer(world, "/cosmos/staking/v1beta1/validators").json["validators"][0]
    proposals = Answer(world, "/cosmos/gov/v1/proposals?pagination.count_total=true").json
    proposal = int(proposals["pagination"]["total"]) + 1
    shown = operator["operator_address"]
    done = asyncio.run(act(world, Operator(from_bech32(shown, OPERATOR_PREFIX)), U64(proposal)))
    return {
        "{kim}": world.address("kim"),
        "{operator}": shown,
        "{proposal}": str(proposal),
        "{height}": str(done.height),
        "{hash}": done.hash,
    }


async def act(world: World, operator: Operator, proposal: U64) -> TxOutcome:
    """Let Kim do a bit of everything."""
    kim, ben = world.signer("kim").address, world.signer("ben").address
    stake, deposit = a_stake(1_000), (a_stake(100 * FLT),)
    grant = authz.Grant(authz.GenericAuthorization(SEND_URL), Time(4_000_000_000_000))
    messages = (
        bank.Send(kim, kim, GIFT),
        staking.Delegate(kim, operator, stake),
        staking.Undelegate(kim, operator, a_stake(500)),
        gov.SubmitProposal((), deposit, kim, "none", "a title", "a summary", False),
        gov.CastVote(proposal, kim, gov.VoteOption.YES, ""),
        authz.GrantMessages(kim, ben, grant),
        feegrant.GrantAllowance(kim, ben, feegrant.BasicAllowance(GIFT, Time(0))),
    )
    async with await Client.connect(world.node.grpc) as client:
        return await client.submit(world.signer("kim"), messages)


def misfits(value: Any, recorded: Any, where: str) -> list[str]:
    """Where a value isn't of the shape of a recorded one; where that is null there may be more."""
    if recorded is None or where.rpartition(".")[2] in FREE:
        return []
    if isinstance(recorded, dict) and isinstance(value, dict):
        keys = [key for key in recorded if key not in NEWER]
        if list(value) != keys:
            return [f"{where}: has {list(value)}, not {keys}"]
        pairs = [misfits(value[key], recorded[key], f"{where}.{key}") for key in keys]
        return [each for pair in pairs for each in pair]
    if isinstance(recorded, list) and isinstance(value, list):
        models = recorded if len(recorded) == len(value) else recorded[:1] * len(value)
        found = [misfits(*pair, f"{where}[{at}]") for at, pair in enumerate(zip(value, models))]
        return [each for part in found for each in part]
    kinds = [kind_of(each) for each in (value, recorded)]
    return (
        []
        if kinds[0] == kinds[1]
        else [f"{where}: {value!r} is {kinds[0]}, {recorded!r} is {kinds[1]}"]
    )


def kind_of(value: Any) -> str:
    """Say what a value is."""
    if not isinstance(value, str):
        return type(value).__name__
    return next((kind for kind, pattern in KINDS.items() if pattern.fullmatch(value)), "text")


@pytest.mark.parametrize("path", RECORDED | UNRECORDED)
def test_it_answers_in_the_shape_of_the_cosmos_sdk(
    world: World, names: dict[str, str], path: str
) -> None:
    filled = path
    for name, value in names.items():
        filled = filled.replace(name, value)
    answer = Answer(world, filled)
    assert answer.status == 200, answer.json
    assert misfits(answer.json, (RECORDED | UNRECORDED)[path], "$") == []


def test_a_wallet_finds_the_chain_it_was_told_of(world: World) -> None:
    info = Answer(world, "/cosmos/base/tendermint/v1beta1/node_info").json
    assert info["default_node_info"]["network"] == world.network.chain_id
    version = info["application_version"]["cosmos_sdk_version"]
    assert tuple(map(int, version.split("."))) >= (0, 50)  # Ping.pub then asks for gov v1
