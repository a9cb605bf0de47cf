"""One node's application with a few rich accounts, driven as the engine drives it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from cosmpy.protos.tendermint.abci import types_pb2 as abci
from google.protobuf.timestamp_pb2 import Timestamp

from app.chain import Genesis, make_genesis
from app.kernel.record import U128, Address
from app.kernel.tx import Coin
from app.modules import bank
from app.node.abci import Application
from app.node.leveldb import LevelStore
from app.node.metrics import Metrics
from app.node.snapshots import Snapshots
from app.sdk.signer import Signer, Signing, Terms, sign_tx

CHAIN_ID = "pollen-test"
BALANCE_UFLT = 1_000_000_000
FEE_UFLT = 2_000
START_MS, BLOCK_MS = 1_700_000_000_000, 1_000
ALICE, BORIS, CLARA = (Signer(sha256(name).digest()) for name in (b"alice", b"boris", b"clara"))
SIGNERS = (ALICE, BORIS, CLARA)
NOBODY = Address(bytes(20))


def a_send(signer: Signer, sequence: int, amount_uflt: int = 1, **terms: Any) -> bytes:
    """A signed transaction that sends money to nobody in particular."""
    message = bank.Send(signer.address, NOBODY, (Coin("uflt", U128(amount_uflt)),))
    signing = Signing(signer, SIGNERS.index(signer), sequence)
    given = {"chain_id": CHAIN_ID, "gas_limit": 200_000, "fee_uflt": FEE_UFLT, **terms}
    return sign_tx([message], [signing], Terms(**given))


class BankChain:
    """An application on a folder; what the engine would ask is a method each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.start()

    def start(self) -> None:
        """Start a node on whatever the folder holds; every third block is due for a snapshot."""
        self.store = LevelStore(self.path / "state")
        self.app = Application(
            self.store,
            Metrics(),
            self.prove,
            check_invariants=True,
            snapshots=Snapshots(self.path / "snapshots", interval=3, keep=2),
            find_header=self.find_header,
        )

    def find_header(self, height: int) -> tuple[str, int]:
        """What trusted nodes say of a block."""
        return CHAIN_ID, START_MS + height * BLOCK_MS

    def prove(self, key: bytes, alpha: bytes) -> bytes | None:
        """Give no proof for the beacon."""
        return None

    def restart(self) -> None:
        """Kill the node and start it again: what it had in memory is gone."""
        self.store.close()
        self.start()

    def init(self, initial_height: int = 1) -> bytes:
        """Begin the chain; returns the application hash."""
        state = json.dumps(self.make_genesis()).encode()
        request = abci.RequestInitChain(
            chain_id=CHAIN_ID, initial_height=initial_height, app_state_bytes=state
        )
        return bytes(self.app.init_chain(request).app_hash)

    def make_genesis(self) -> dict[str, Any]:
        """The state that the chain begins with."""
        return make_genesis(Genesis({signer.address: BALANCE_UFLT for signer in SIGNERS}, {}))

    def block(self, height: int, txs: Sequence[bytes] = (), **fields: Any) -> dict[str, Any]:
        """The fields that a proposal and its decision share."""
        time = Timestamp()
        time.FromMilliseconds(START_MS + height * BLOCK_MS)
        block_hash = sha256(b"%d" % height + b"".join(txs)).digest()
        return {"height": height, "txs": txs, "time": time, "hash": block_hash} | fields

    def check(self, raw: bytes, *, again: bool = False) -> abci.ResponseCheckTx:
        """Ask whether a transaction may wait."""
        kind = abci.CheckTxType.RECHECK if again else abci.CheckTxType.NEW
        return self.app.check_tx(abci.RequestCheckTx(tx=raw, type=kind))

    def prepare(self, txs: Sequence[bytes], max_tx_bytes: int = 1 << 20) -> list[bytes]:
        """Propose a block of these."""
        block = self.block(self.app.last.height + 1, txs, max_tx_bytes=max_tx_bytes)
        del block["hash"]
        return list(self.app.prepare_proposal(abci.RequestPrepareProposal(**block)).txs)

    def accepts(self, txs: Sequence[bytes], **fields: Any) -> bool:
        """Whether a proposed block of these passes."""
        block = self.block(self.app.last.height + 1, txs, **fields)
        answer = self.app.process_proposal(abci.RequestProcessProposal(**block))
        return answer.status == abci.ResponseProcessProposal.ACCEPT

    def finalize(self, txs: Sequence[bytes] = (), **fields: Any) -> abci.ResponseFinalizeBlock:
        """Decide the next block."""
        block = self.block(self.app.last.height + 1, txs, **fields)
        return self.app.finalize_block(abci.RequestFinalizeBlock(**block))

    def commit(self) -> None:
        """Commit what was decided."""
        self.app.commit(abci.RequestCommit())

    def run(self, txs: Sequence[bytes] = (), **fields: Any) -> abci.ResponseFinalizeBlock:
        """Decide and commit a block."""
        response = self.finalize(txs, **fields)
        self.commit()
        return response

    def info(self) -> tuple[int, bytes]:
        """Height and hash of the last committed block, as the engine is told."""
        info = self.app.info(abci.RequestInfo())
        return info.last_block_height, info.last_block_app_hash

    def balance(self, address: Address = NOBODY) -> int:
        """What an account holds in committed state."""
        return bank.get_balance(self.app.state, address)
