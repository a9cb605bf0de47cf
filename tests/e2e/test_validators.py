"""A validator comes to a running network, votes twice, and is punished."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cosmpy.protos.cosmos.staking.v1beta1 import query_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from nacl.signing import SigningKey

from app.kernel.record import NO_ADDRESS, U128, ConsensusKey, Dec, Operator
from app.kernel.tx import Coin
from app.modules.staking import CommissionRates, CreateValidator, Description
from app.node.localnet import CHAIN_ID, Localnet, Node, find_localnet
from app.node.status import ask
from app.sdk.signer import Signer, Signing, Terms, sign_tx
from app.wire.events import field
from app.wire.records import write_operator

FLT = 1_000_000
STAKE = 10 * FLT
PRECOMMIT = 2
WAIT_S = 60


def pollend(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.node.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localnet]:
    home = tmp_path_factory.mktemp("one")
    done = pollend("localnet", "start", "--home", str(home), "--validators", "1")
    assert done.returncode == 0, done.stderr
    network = find_localnet(home)
    assert network is not None
    yield network
    pollend("localnet", "stop", "--home", str(home))


def rpc(node: Node, path: str) -> Any:
    status, text = ask(node.rpc, path)
    assert status == 200, text
    return json.loads(text)["result"]


def call(node: Node, method: str, **params: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    url = f"http://{node.rpc}"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "text/json"})
    with urllib.request.urlopen(request) as response:
        answer = json.load(response)
    assert "result" in answer, answer
    return answer["result"]


def wait_for(find: Callable[[], Any]) -> Any:
    deadline_s = time.monotonic() + WAIT_S
    while not (found := find()):
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    return found


def latest(node: Node) -> int:
    """The height of the last block."""
    return int(rpc(node, "/status")["sync_info"]["latest_block_height"])


def powers(node: Node, height: int = 0) -> dict[str, int]:
    """What the engine's validators weigh, by address."""
    found = rpc(node, f"/validators?height={height}" if height else "/validators")["validators"]
    return {row["address"]: int(row["voting_power"]) for row in found}


def stake_of(node: Node, operator: Operator) -> Any:
    """A validator as Cosmos' clients see it."""
    request = query_pb2.QueryValidatorRequest(validator_addr=write_operator(operator))
    path = "/cosmos.staking.v1beta1.Query/Validator"
    data = request.SerializeToString().hex()
    answer = rpc(node, f'/abci_query?path="{path}"&data=0x{data}')["response"]
    return query_pb2.QueryValidatorResponse.FromString(b64decode(answer["value"])).validator


def create(network: Localnet, key: SigningKey) -> Operator:
    """Let the faucet operate a validator with a key."""
    faucet = json.loads(Path(network.faucet).read_text())
    signer = Signer(bytes.fromhex(faucet["private_key_hex"]))
    message = CreateValidator(
        Description("newcomer", "", "", "", ""),
        CommissionRates(Dec(0), Dec(0), Dec(0)),
        U128(1),
        NO_ADDRESS,
        Operator(signer.address),
        ConsensusKey(bytes(key.verify_key)),
        Coin("uflt", U128(STAKE)),
    )
    terms = Terms(chain_id=CHAIN_ID, gas_limit=1_000_000, fee_uflt=10_000)
    raw = sign_tx([message], [Signing(signer, 0, 0)], terms)
    result = call(network.nodes[0], "broadcast_tx_commit", tx=b64encode(raw).decode())
    assert result["tx_result"]["code"] == 0, result
    return Operator(signer.address)


def sign_bytes(height: int, block_hash: bytes, stamp: Timestamp) -> bytes:
    """What a precommit signs: a `tendermint.types.CanonicalVote` behind its length."""
    parts = b"\x08\x01" + field(0x12, block_hash)
    block_id = field(0x0A, block_hash) + field(0x12, parts)
    place = bytes((0x08, PRECOMMIT, 0x11)) + height.to_bytes(8, "little")
    when = field(0x2A, stamp.SerializeToString())
    vote = place + field(0x22, block_id) + when + field(0x32, CHAIN_ID.encode())
    return field(0, vote)[1:]


def vote(key: SigningKey, height: int, block_hash: bytes) -> dict[str, Any]:
    """A precommit for a block, as the engine's JSON has it, signed."""
    stamp = Timestamp(seconds=1_800_000_000)
    data = sign_bytes(height, block_hash, stamp)
    return {
        "type": PRECOMMIT,
        "height": str(height),
        "round": 0,
        "block_id": {
            "hash": block_hash.hex().upper(),
            "parts": {"total": 1, "hash": block_hash.hex().upper()},
        },
        "timestamp": stamp.ToJsonString(),
        "validator_address": address_of(key),
        "validator_index": 0,
        "signature": b64encode(key.sign(data).signature).decode(),
    }


def address_of(key: SigningKey) -> str:
    return sha256(bytes(key.verify_key)).hexdigest()[:40].upper()


def test_a_new_validator_votes_twice_and_is_slashed_and_jailed(network: Localnet) -> None:
    node, key = network.nodes[0], SigningKey.generate()
    operator, address = create(network, key), address_of(key)
    wait_for(lambda: powers(node).get(address) == STAKE // FLT)
    assert stake_of(node, operator).status == 3
    height = wait_for(lambda: (at := latest(node)) and address in powers(node, at) and at)
    header, weights = rpc(node, f"/block?height={height}")["block"]["header"], powers(node, height)
    assert weights[address] == STAKE // FLT
    first, second = sorted([sha256(b"one").digest(), sha256(b"another").digest()])
    evidence = {
        "vote_a": vote(key, height, first),
        "vote_b": vote(key, height, second),
        "TotalVotingPower": str(sum(weights.values())),
        "ValidatorPower": str(weights[address]),
        "Timestamp": header["time"],
    }

    typed = {"type": "tendermint/DuplicateVoteEvidence", "value": evidence}
    call(node, "broadcast_evidence", evidence=typed)

    row = wait_for(lambda: (found := stake_of(node, operator)).jailed and found)
    assert int(row.tokens) == STAKE * 95 // 100
    wait_for(lambda: address not in powers(node))
    assert row.status in (2, 3)
