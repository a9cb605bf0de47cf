"""The slot: a proposer's proof for the beacon goes first into its block when one is due."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cosmpy.protos.tendermint.abci import types_pb2 as abci

from app.chain import Genesis, make_genesis
from app.kernel import vrf
from app.kernel.crypto import sha256
from app.kernel.tx import Slot
from app.modules.beacon import BEACON, is_proof_due
from app.node import abci as application
from app.node.vrf_keys import make_vrf_key, prove_from
from app.wire.tx import decode_slot, encode_slot
from tests.build import a_validator, a_vrf_secret, an_address
from tests.node.bank_chain import (
    ALICE,
    BALANCE_UFLT,
    BORIS,
    CHAIN_ID,
    SIGNERS,
    BankChain,
    a_send,
)

NAMES = ("vera", "vito")
VERA, VITO = map(an_address, NAMES)


class BeaconChain(BankChain):
    """A node of a chain that begins with a draw due, and holds some validators' secrets."""

    def __init__(self, path: Path, holds: Sequence[str] = NAMES, names: Sequence[str] = NAMES):
        self.names = names
        self.secrets = {vrf.key_of(s): s for s in map(a_vrf_secret, holds)}
        super().__init__(path)

    def prove(self, key: bytes, alpha: bytes) -> bytes | None:
        secret = self.secrets.get(key)
        return None if secret is None else vrf.prove(secret, alpha)

    def make_genesis(self) -> dict[str, Any]:
        pairs = zip(self.names, (ALICE, BORIS))
        validators = tuple([a_validator(name, who.address) for name, who in pairs])
        balances = {signer.address: BALANCE_UFLT for signer in SIGNERS}
        state = make_genesis(Genesis(balances, {}, validators))
        state["beacon"]["beacon/beacon"]["asked_height"] = "1"
        return state

    def block(self, height: int, txs: Sequence[bytes] = (), **fields: Any) -> dict[str, Any]:
        return super().block(height, txs, **{"proposer_address": VERA, **fields})

    def propose(self, proposer: bytes, txs: Sequence[bytes] = (), room: int = 1 << 20) -> Any:
        """What a validator with this node proposes."""
        fields = self.block(self.app.last.height + 1, txs, proposer_address=proposer)
        del fields["hash"]
        request = abci.RequestPrepareProposal(max_tx_bytes=room, **fields)
        return list(self.app.prepare_proposal(request).txs)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[BeaconChain]:
    node = BeaconChain(tmp_path)
    node.init()
    yield node
    node.store.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[BeaconChain]:
    node = BeaconChain(tmp_path / "other", holds=())
    node.init()
    yield node
    node.store.close()


def test_the_proposers_proof_goes_first_and_makes_the_seed(
    node: BeaconChain, other: BeaconChain
) -> None:
    send = a_send(ALICE, 0)
    raw, *rest = node.propose(VERA, [send])
    slot = decode_slot(raw)
    assert isinstance(slot, Slot)
    assert (slot.proposer, rest) == (VERA, [send])
    assert node.accepts([raw, send])
    assert other.accepts([raw, send])

    response = node.run([raw, send])

    assert other.run([raw, send]) == response
    assert [result.code for result in response.tx_results] == [0, 0]
    output = vrf.proof_to_hash(slot.proof)
    seed = sha256(b"pollen/beacon/seed" + bytes(32) + output)
    assert BEACON.get(node.app.state).seed == seed
    made = [event for event in response.events if event.type == "pollen.beacon.v1.EventSeedMade"]
    assert {pair.key: pair.value for pair in made[0].attributes}["is_proven"] == "true"


def test_each_proposer_has_its_own_proof_and_no_other(
    node: BeaconChain, other: BeaconChain
) -> None:
    (vera,), (vito,) = node.propose(VERA), node.propose(VITO)
    assert node.propose(VERA) == [vera]
    assert vera != vito
    assert other.accepts([vera], proposer_address=VERA)
    assert other.accepts([vito], proposer_address=VITO)
    assert not other.accepts([vito], proposer_address=VERA)
    assert not other.accepts([vera], proposer_address=VITO)
    assert not other.accepts([vera], proposer_address=an_address("eve"))


def test_a_block_without_a_right_slot_in_its_first_place_is_refused(node: BeaconChain) -> None:
    send = a_send(ALICE, 0)
    (right,) = node.propose(VERA)
    slot = decode_slot(right)
    assert isinstance(slot, Slot)
    elsewhere = vrf.prove(a_vrf_secret("vera"), b"another input")
    wrong = [
        [],
        [send],
        [send, right],
        [right, right],
        [right + b"\0"],
        [right[:-1]],
        [b"\0"],
        [b"\0\0" + right[1:]],
        [encode_slot(Slot(VERA, elsewhere))],
        [encode_slot(Slot(VERA, slot.proof[:-1] + b"\xff"))],
        [encode_slot(Slot(b"", slot.proof))],
    ]
    assert [txs for txs in wrong if node.accepts(txs)] == []
    assert node.accepts([right, send])


def test_nothing_is_injected_while_nobody_asks(node: BeaconChain, other: BeaconChain) -> None:
    slot = node.propose(VERA)
    other.run(slot)
    root = node.run(slot).app_hash
    send = a_send(ALICE, 0)
    assert node.propose(VERA) == []
    assert node.propose(VITO, [send]) == [send]
    assert not node.accepts(slot)
    assert not other.accepts([*slot, send])
    assert [node.run().app_hash for _ in range(3)] == [root] * 3


def test_a_chain_without_keys_needs_no_slot(tmp_path: Path) -> None:
    node = BeaconChain(tmp_path, names=())
    node.init()
    assert node.propose(VERA) == []
    assert node.accepts([])
    node.run()
    assert BEACON.get(node.app.state).seed_height == 1
    node.store.close()


def test_the_slot_counts_towards_the_room_in_a_block(node: BeaconChain) -> None:
    (slot,) = node.propose(VERA)
    send = a_send(ALICE, 0)
    room = application.proto_bytes(slot) + application.proto_bytes(send)
    assert node.propose(VERA, [send], room) == [slot, send]
    assert node.propose(VERA, [send], room - 1) == [slot]
    assert node.propose(VERA, [send], application.proto_bytes(slot) - 1) == []


def test_nobody_can_wait_in_the_mempool_with_a_slot(node: BeaconChain) -> None:
    (slot,) = node.propose(VERA)
    assert node.check(slot).code == 2
    assert node.propose(VERA, [slot]) == [slot]


def test_a_validator_that_lost_its_secret_only_loses_its_turn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node = BeaconChain(tmp_path, holds=["vito"])
    node.init()
    send = a_send(ALICE, 0)
    assert node.propose(VERA, [send]) == [send]
    assert vrf.key_of(a_vrf_secret("vera")).hex() in caplog.text
    assert not node.accepts([send], proposer_address=VERA)
    proposal = node.propose(VITO, [send])
    assert len(proposal) == 2
    assert node.accepts(proposal, proposer_address=VITO)
    node.run(proposal, proposer_address=VITO)
    assert BEACON.get(node.app.state).seed_height == 1
    node.store.close()


def test_where_no_key_works_the_chain_goes_on_with_a_seed_that_nobody_chose(
    other: BeaconChain,
) -> None:
    wrong = [encode_slot(Slot(VERA, bytes(80)))]
    state_hash = other.app.last.app_hash
    refusals = len(NAMES) * application.REFUSALS_PER_VALIDATOR
    tries = [other.propose(proposer) for proposer in (VERA, VITO) * refusals]
    assert [other.accepts(txs) for txs in tries[:refusals]] == [False] * refusals
    assert other.accepts(tries[refusals])
    assert not other.accepts(wrong)

    other.run()

    seed = sha256(b"pollen/beacon/fallback" + bytes(32) + state_hash)
    assert BEACON.get(other.app.state).seed == seed
    assert not is_proof_due(other.app.state)


def test_refusals_are_counted_for_one_height_alone(node: BeaconChain) -> None:
    for _ in range(3):
        assert not node.accepts([])
    node.init()
    assert [node.accepts([]) for _ in range(5)] == [False] * 4 + [True]


def test_a_decided_block_gives_the_same_wherever_it_was_refused_before(
    node: BeaconChain, other: BeaconChain
) -> None:
    wrong = [encode_slot(Slot(VERA, bytes(80))), a_send(BORIS, 0)]
    assert not node.accepts(wrong)
    response = node.run(wrong)
    assert other.run(wrong) == response
    assert [result.code for result in response.tx_results] == [0, 0]


def test_a_crash_replays_to_the_same_seed_and_the_same_slot(node: BeaconChain) -> None:
    slot = node.propose(VITO)
    response = node.finalize(slot, proposer_address=VITO)
    node.restart()
    node.init()
    assert node.propose(VITO) == slot
    assert node.accepts(slot, proposer_address=VITO)
    assert node.finalize(slot, proposer_address=VITO) == response
    node.commit()
    node.restart()
    assert node.app.last.app_hash == response.app_hash
    assert node.propose(VERA) == []


def test_the_input_is_the_state_that_the_block_is_executed_on(node: BeaconChain) -> None:
    first = node.propose(VERA)
    genesis = node.make_genesis()
    genesis["bank"]["bank/metadata"] = []
    state = json.dumps(genesis).encode()
    request = abci.RequestInitChain(chain_id=CHAIN_ID, initial_height=1, app_state_bytes=state)
    node.app.init_chain(request)
    assert node.propose(VERA) != first


def test_a_key_that_is_made_beside_another_is_used_once_it_counts(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "vrf_keys.json"
    old = make_vrf_key(path)
    new = make_vrf_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    for key in (old, new):
        proof = prove_from(path, key, b"alpha")
        assert proof is not None
        assert vrf.verify(key, b"alpha", proof) == vrf.proof_to_hash(proof)
    assert prove_from(path, vrf.key_of(bytes(32)), b"alpha") is None


@pytest.mark.parametrize("text", [None, "", "[]", "{", '{"zz": "00"}', '{"00": "00"}', "wrong key"])
def test_secrets_that_cannot_be_read_prove_nothing(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "vrf_keys.json"
    key = make_vrf_key(path)
    if text is None:
        path.unlink()
    elif text == "wrong key":
        path.write_text(json.dumps({key.hex(): bytes(32).hex()}))
    else:
        path.write_text(text)
    assert prove_from(path, key, b"alpha") is None
