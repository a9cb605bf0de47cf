"""CosmJS' SigningStargateClient, unmodified: each signer, each dialect of the engine's RPC."""

from collections.abc import Callable
from typing import Any

from app.modules.jobs import JobRequest
from app.sdk.client import Client
from app.wire.amino import write_any
from app.wire.records import pack
from tests.build import a_job
from tests.clients.conftest import World

SIGNERS = ("direct", "amino")
DIALECTS = ("sniffed", "comet38", "tendermint37")
"""CosmJS takes the third for CometBFT 0.40, whose version it doesn't know."""


def test_it_connects_signs_sends_and_finds(world: World, run_js: Callable[..., Any]) -> None:
    result = run_js("stargate.mjs")

    for signer in SIGNERS:
        for sequence, dialect in enumerate(DIALECTS):
            found = result[f"{signer} {dialect}"]
            assert found["chainId"] == found["block"]["chainId"] == world.network.chain_id
            assert found["height"] > 0
            assert found["account"]["address"] == found["address"]
            assert found["sequence"]["sequence"] == found["account"]["sequence"] == sequence
            assert found["balances"] == [found["balance"]]
            sent, tx = found["sent"], found["tx"]
            assert (sent["code"], sent["msgResponses"]) == (0, 1)
            assert {"tx", "message", "transfer"} <= set(sent["events"])
            assert tx["height"] == sent["height"]
            # A simulation is right to some bytes, of fee and memo.
            used = int(tx["gasUsed"])
            assert used <= found["simulated"] < used + 500 <= int(tx["gasWanted"])
            hash_ = sent["transactionHash"]
            assert hash_ in found["searched"]
            assert hash_ in found["searchedAsText"]
            assert len(found["searched"]) == sequence + 1
        staked = result[f"{signer} stake"]
        assert staked["codes"] == [0, 0], staked["logs"]
        assert staked["held"] == {"denom": "uflt", "amount": "3000000"}
        assert staked["left"] == {"denom": "uflt", "amount": "2000000"}
    asked, sent = result["asked"], result["direct sniffed"]["sent"]
    assert asked.pop("tx") == {
        "hash": sent["transactionHash"], "height": str(sent["height"]), "code": 0
    }  # fmt: skip
    assert "tx not found" in asked.pop("noTx")
    assert asked == {
        "validators": 1,
        "infos": 1,
        "rewarded": [True],
        "inflation": "0",
        "provisions": "0",
        "goal": "0.67",
        "perYear": "8766",
    }
    assert (result["nobody"], result["noTx"]) == (None, None)
    assert "insufficient funds" in result["tooMuch"]
    assert "out of gas" in str(result["outOfGas"])


async def test_a_page_posts_a_job_with_the_generated_types(
    world: World, run_js: Callable[..., Any]
) -> None:
    posted = a_job(world.signer("kim").address)
    amino = write_any(pack(posted), 0)

    result = run_js("pollen_job.mjs", job=amino["value"])

    async with await Client.connect(world.node.grpc) as client:
        for mode in SIGNERS:
            assert result[mode]["code"] == 0, result[mode]["log"]
            assert result[mode]["decoded"] == amino["value"]
            job = (await client.query(JobRequest(int(result[mode]["jobId"])))).job
            assert (job.requester, job.spec) == (posted.requester, posted.spec)
