"""CosmJS' SigningStargateClient, unmodified: each signer, each dialect of the engine's RPC."""

from collections.abc import Callable
from typing import Any

from tests.clients.conftest import World

SIGNERS = ("direct", "amino")
DIALECTS = ("sniffed", "comet38", "tendermint37")
"""CosmJS takes the third for CometBFT 0.40, whose version it doesn't know."""


def test_it_connects_signs_sends_and_finds(world: World, run_js: Callable[[str], Any]) -> None:
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
    assert (result["nobody"], result["noTx"]) == (None, None)
    assert "insufficient funds" in result["tooMuch"]
    assert "out of gas" in str(result["outOfGas"])
