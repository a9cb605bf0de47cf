"""The application that the engine drives: one small method for each of ABCI 2.0's.

A block is executed once, on a draft over committed state: when it is proposed, or when it is
decided if this node has not seen the proposal. The draft lives in memory until Commit writes it,
with height and root, in one synced batch; nothing else is ever written, so a restart at any point
replays cleanly. Before the first block the genesis is such a draft too. Up to `CANDIDATES_MAX`
proposals of a height are remembered by block hash.

A block's first place is a slot for the proof that its proposer owes the beacon, exactly when one is
due. A proposal with a wrong slot is refused, so a validator whose key is lost or broken only loses
its turns. Should nobody's key work, no proposal would ever be right: so a node that has refused
`REFUSALS_PER_VALIDATOR` of them for each validator at one height takes one without a slot, of which
the rules make a seed that nobody chose. That is a matter of how to vote. What was decided is
executed the same everywhere.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from cosmpy.protos.tendermint.abci import types_pb2 as abci
from cosmpy.protos.tendermint.types.params_pb2 import (
    BlockParams,
    ConsensusParams,
    EvidenceParams,
    VersionParams,
)
from google.protobuf.duration_pb2 import Duration

from app import chain
from app.kernel.context import Block
from app.kernel.crypto import verify_secp256k1
from app.kernel.errors import Rejected, broken
from app.kernel.record import U32, U64
from app.kernel.store import Overlay, Reader
from app.kernel.trie import Forest
from app.kernel.tx import BlockTx, Slot, Tx, Undecodable
from app.modules import beacon, staking
from app.node.config import VERSION, OperatorError
from app.node.fail import fail_point
from app.node.history import ROWS_MAX, History
from app.node.leveldb import START_AGAIN, Committed, JobEvent, LevelStore, StoreFailed
from app.node.mempool import Mempool, TooManyWaiting
from app.node.metrics import Metrics
from app.node.question import CODESPACE_SDK, Refusal, View
from app.node.retention import EVIDENCE_AGE_BLOCKS, EVIDENCE_AGE_S, find_retain_height
from app.node.snapshots import FORMAT, FindHeader, Restoration, Snapshots, begin_restoration, reject
from app.node.views import Call, answer_engine, answer_later, excuse
from app.node.voters import check_powers, find_absent, find_misbehaviour, to_ms, to_updates
from app.wire.events import block_events, field, result_data, tx_events, typed_records
from app.wire.records import pack
from app.wire.tx import decode_block, decode_tx, encode_slot

log = logging.getLogger("pollend.abci")

METHODS = (
    "info", "init_chain", "query", "check_tx", "prepare_proposal", "process_proposal",
    "extend_vote", "verify_vote_extension", "finalize_block", "commit", "list_snapshots",
    "offer_snapshot", "load_snapshot_chunk", "apply_snapshot_chunk",
)  # fmt: skip

BLOCK_BYTES_MAX = 4 << 20
PREPARE_S_MAX = 0.2
"""What a proposer takes to choose; it bounds a block's work, which is some three times that."""
PREPARE_TXS_MAX = 5_000
REFUSED_MAX = 500
"""Transactions that can't succeed, beyond which a proposer lets as many fail in a block."""
CONSENSUS_PARAMS = ConsensusParams(
    block=BlockParams(max_bytes=BLOCK_BYTES_MAX, max_gas=-1),
    evidence=EvidenceParams(
        max_age_num_blocks=EVIDENCE_AGE_BLOCKS,
        max_age_duration=Duration(seconds=EVIDENCE_AGE_S),
        max_bytes=1 << 20,
    ),
    version=VersionParams(app=chain.APP_VERSION),
)

CANDIDATES_MAX = 4
SIGNATURES_REMEMBERED = 1 << 16
SIGNATURES_PER_DRAIN = 16  # Some two milliseconds.
TXS_REMEMBERED = 1 << 15
LARGE_TX_BYTES = 1 << 13
LARGE_TXS_REMEMBERED = 16
INVARIANT_SHARE = 50
"""Checking invariants takes at most one part in so many of the time."""

INT64_MAX = (1 << 63) - 1
BLOCK_EVENTS_TAG, TX_RESULTS_TAG = 0x0A, 0x12
"""Of `ResponseFinalizeBlock.events` and `tx_results`."""
TX_EVENTS_TAG = 0x3A
"""Of `ExecTxResult.events`."""
CODE_FULL = 20
CODE_INVALID_HEIGHT = 26
REFUSALS_PER_VALIDATOR = 2

ACCEPT = abci.ResponseProcessProposal(status=abci.ResponseProcessProposal.ACCEPT)
REJECT = abci.ResponseProcessProposal(status=abci.ResponseProcessProposal.REJECT)

Prove = Callable[[bytes, bytes], bytes | None]
"""What gives the proof of a public key for an input, or None without its secret."""


def trust_nobody(height: int) -> None:
    """Know no block's header: a node that was told of no others."""


def prove_nothing(key: bytes, alpha: bytes) -> None:
    """Give no proof: a node that holds no secret."""


class Candidate(NamedTuple):
    """A block that was executed and may be decided."""

    draft: Overlay
    result: chain.BlockResult
    txs: Sequence[BlockTx]
    forest: Forest
    response: abci.ResponseFinalizeBlock


class Selection:
    """Transactions for a block, as many as fit."""

    def __init__(self, room_bytes: int) -> None:
        self.txs: list[bytes] = []
        self._room_bytes = room_bytes

    def has_room(self, raw: bytes) -> bool:
        """Whether a transaction fits."""
        return proto_bytes(raw) <= self._room_bytes

    def add(self, raw: bytes) -> None:
        """Take a transaction that fits."""
        self.txs.append(raw)
        self._room_bytes -= proto_bytes(raw)


class Halted(Exception):
    """The node was told to go no further."""


class Application:
    """The chain as one node holds it: the committed state, and the blocks under way."""

    def __init__(
        self,
        store: LevelStore,
        metrics: Metrics,
        prove: Prove = prove_nothing,
        *,
        check_invariants: bool = False,
        history_rows: int = ROWS_MAX,
        snapshots: Snapshots | None = None,
        retain_blocks: int = 0,
        find_header: FindHeader = trust_nobody,
    ) -> None:
        self.store = store
        self.snapshots = snapshots
        self.drain: Callable[[], None] = lambda: None
        """Takes off the engine's sockets what has come; called within long work."""
        self.verify_once = lru_cache(SIGNATURES_REMEMBERED)(verify_secp256k1)
        self._signature_count = 0
        self.mempool = Mempool(self.verify)
        self._decode_small = lru_cache(TXS_REMEMBERED)(decode_tx)
        self._decode_large = lru_cache(LARGE_TXS_REMEMBERED)(decode_tx)
        self.metrics = metrics
        self._prove = prove
        self._refused_slots = 0
        self._checks_invariants = check_invariants
        self._check_due_s = 0.0
        self._history_rows = history_rows
        self._retain_blocks = retain_blocks
        self._find_header = find_header
        self.engine_calls: Mapping[str, Call] = {}
        """By gRPC path, the request and what answers it with the engine's help."""
        self.halt_height = 0
        """The last block to execute; 0: there is none."""
        self._restoration: Restoration | None = None
        self._candidates: dict[bytes, Candidate] = {}
        self._decided: Candidate | None = None
        self._next_commit = asyncio.Event()
        self._take_up()

    def _take_up(self) -> None:
        """Go on from what is on disk, if that is what was committed."""
        store = self.store
        self.last = store.last
        self.start_height = store.last.height
        self.state: Reader = store
        self._genesis = Overlay(store)
        self._forest = Forest().apply(dict(store.items(b"")))
        if self.last.height and self._forest.root() != self.last.app_hash:
            raise StoreFailed(
                f"the state on disk isn't the one committed at height {self.last.height}, whose "
                f"hash is {self.last.app_hash.hex()}: the database is corrupt; {START_AGAIN}"
            )
        self.history = History(store, self._forest, self._history_rows)

    @property
    def methods(self) -> Mapping[str, Any]:
        """Return what answers each kind of request."""
        return {name: getattr(self, name) for name in METHODS}

    def next_block(self) -> Block:
        """Return the block after the last as far as it is known, for admission and simulation."""
        last = self.last
        return Block(last.chain_id, last.height + 1, last.time_ms, last.time_ms)

    def view(self, height: int = 0) -> View:
        """Return the state after a block, 0 for the last; `Refusal` says which there are."""
        if height in (0, self.last.height):
            return View(self.state, self.next_block(), self._forest)
        past = self.history.find(height)
        if past is None:
            raise Refusal(
                f"height {height}: this node keeps the states of heights "
                f"{self.history.oldest_height} to {self.last.height}; ask for one of these, or "
                "another node (history_blocks in pollend.toml says how many are kept)",
                CODE_INVALID_HEIGHT,
                CODESPACE_SDK,
            )
        last = past.last
        next_block = Block(last.chain_id, last.height + 1, last.time_ms, last.time_ms)
        return View(past, next_block, past.forest)

    def verify(self, pubkey: bytes, digest: bytes, signature: bytes) -> bool:
        """Whether a signature is right, checked only once; now and then the sockets are drained."""
        self._signature_count += 1
        if not self._signature_count % SIGNATURES_PER_DRAIN:
            self.drain()
        return self.verify_once(pubkey, digest, signature)

    async def wait_for_commit(self) -> None:
        """Return once another block is committed."""
        await self._next_commit.wait()

    # ---- query connection

    def info(self, request: abci.RequestInfo) -> abci.ResponseInfo:
        """Tell the engine which block is on disk, never one under way."""
        last = self.store.last
        return abci.ResponseInfo(
            data="pollen",
            version=VERSION,
            app_version=chain.APP_VERSION,
            last_block_height=last.height,
            last_block_app_hash=last.app_hash,
        )

    def query(self, request: abci.RequestQuery) -> Any:
        """Answer a gRPC method's path, or `/store/<module>/key`, from committed state.

        What only the engine knows, such as a transaction, is asked for and answered later.
        """
        call = self.engine_calls.get(request.path)
        if call is not None:
            return self._query_later(call, request)
        try:
            return answer_engine(self.view, request)
        except Exception:
            return excuse(request)

    async def _query_later(self, call: Call, request: abci.RequestQuery) -> abci.ResponseQuery:
        try:
            return await answer_later(call, request, self.last.height)
        except Exception:
            return excuse(request)

    # ---- mempool connection

    def check_tx(self, request: abci.RequestCheckTx) -> abci.ResponseCheckTx:
        """Let a transaction wait for a block, or say why it may not."""
        tx = self._decode(request.tx)
        if isinstance(tx, Undecodable):
            return abci.ResponseCheckTx(code=tx.code, codespace="tx", log=tx.detail)
        if request.type == abci.CheckTxType.RECHECK:
            may_wait = self.mempool.may_still_wait(self.state, tx)
            return abci.ResponseCheckTx(code=0 if may_wait else CODE_FULL)
        try:
            self.mempool.admit(self.state, self.next_block(), tx)
        except Rejected as rejection:
            code, codespace = rejection.code, chain.codespace_of(rejection)
            return abci.ResponseCheckTx(code=code, codespace=codespace, log=rejection.detail)
        except TooManyWaiting as full:
            return abci.ResponseCheckTx(code=CODE_FULL, codespace="node", log=str(full))
        except Exception:  # a fault of ours; who sends must not be able to stop the node
            log.exception("check of transaction %s", tx.hash.hex())
            return abci.ResponseCheckTx(code=chain.INTERNAL, log="internal error")
        return abci.ResponseCheckTx(gas_wanted=tx.gas_limit)

    # ---- consensus connection

    def init_chain(self, request: abci.RequestInitChain) -> abci.ResponseInitChain:
        """Begin with the genesis state, in memory; called again, begin again."""
        genesis = Overlay(self.store)
        try:
            chain.init_genesis(genesis, json.loads(request.app_state_bytes))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise OperatorError(f"genesis: {error}") from None
        forest = Forest().apply(genesis.changes)
        height, root = U64(max(request.initial_height, 1) - 1), forest.root()
        self.last = Committed(request.chain_id, height, app_hash=root)
        self.state, self._genesis, self._forest = genesis, genesis, forest
        self._forget_candidates()
        powers: dict[bytes, int] = {
            each.key: each.power for each in staking.bonded_validators(genesis)
        }
        check_powers(powers, request.validators)
        return abci.ResponseInitChain(
            consensus_params=CONSENSUS_PARAMS, app_hash=root, validators=to_updates(powers)
        )

    def prepare_proposal(
        self, request: abci.RequestPrepareProposal
    ) -> abci.ResponsePrepareProposal:
        """Choose the transactions that pass admission one after the other, as far as they fit.

        Before them goes the slot, if one is due. What never will, the engine keeps offering: it
        forgets only what was in a block. When that is much, some of it goes into the block, to fail
        there.
        """
        block = self._block_of(request)
        admission = Mempool(self.verify, may_restart=False)
        deadline_s = time.monotonic() + PREPARE_S_MAX
        chosen, refused = Selection(request.max_tx_bytes), list[bytes]()
        for slot in filter(chosen.has_room, self._make_slot(block)):
            chosen.add(slot)
        offered = [(self._decode(raw), raw) for raw in request.txs[:PREPARE_TXS_MAX]]
        for tx, raw in order_by_sequence(offered):
            if time.monotonic() > deadline_s and chosen.txs:
                break
            if not chosen.has_room(raw):
                continue
            try:
                admission.admit(self.state, block, tx)
            except Rejected:
                refused.append(raw)
            except TooManyWaiting:
                continue
            else:
                chosen.add(raw)
        if len(refused) > REFUSED_MAX:
            for raw in filter(chosen.has_room, refused[:REFUSED_MAX]):
                chosen.add(raw)
        return abci.ResponsePrepareProposal(txs=chosen.txs)

    def process_proposal(
        self, request: abci.RequestProcessProposal
    ) -> abci.ResponseProcessProposal:
        """Accept a block that is well formed, and execute it; failing transactions don't matter."""
        if sum(map(proto_bytes, request.txs)) > BLOCK_BYTES_MAX:
            return REJECT
        txs = decode_block(request.txs, self._decode)
        if any(isinstance(tx, Undecodable) for tx in txs):
            return REJECT
        if not self._has_right_slot(self._block_of(request), txs):
            return REJECT
        self._execute(request)
        return ACCEPT

    def finalize_block(self, request: abci.RequestFinalizeBlock) -> abci.ResponseFinalizeBlock:
        """Execute the decided block, unless that was done when it was proposed."""
        self._decided = self._execute(request)
        return self._decided.response

    def commit(self, request: abci.RequestCommit) -> abci.ResponseCommit:
        """Write the decided block to disk; the only place that writes."""
        if self._decided is None:
            broken("Commit follows FinalizeBlock")
        draft, result, txs, forest, response = self._decided
        block = result.block
        last = Committed(
            block.chain_id, U64(block.height), U64(block.time_ms), U64(block.clock_ms),
            response.app_hash,
        )  # fmt: skip
        changes = {**self._genesis.changes, **draft.changes}
        fail_point()
        undo = self.store.commit(last, changes, job_events(result))
        fail_point()
        if undo is not None:
            self.history.add(undo, self._forest)
        self.last, self.state, self._genesis = last, self.store, Overlay(self.store)
        self._forest = forest
        self._forget_candidates()
        if self.snapshots is not None:
            self.snapshots.freeze(self.store)
        self.metrics.show_commit(block, len(txs))
        self._next_commit.set()
        self._next_commit = asyncio.Event()
        retain_height = find_retain_height(self.store, self.snapshots, self._retain_blocks)
        return abci.ResponseCommit(retain_height=retain_height)

    def extend_vote(self, request: abci.RequestExtendVote) -> abci.ResponseExtendVote:
        """Add nothing to a vote."""
        return abci.ResponseExtendVote()

    def verify_vote_extension(
        self, request: abci.RequestVerifyVoteExtension
    ) -> abci.ResponseVerifyVoteExtension:
        """Accept the only extension there is, an empty one."""
        status = abci.ResponseVerifyVoteExtension
        is_empty = not request.vote_extension
        return status(status=status.ACCEPT if is_empty else status.REJECT)

    # ---- snapshot connection

    def list_snapshots(self, request: abci.RequestListSnapshots) -> abci.ResponseListSnapshots:
        """Offer the snapshots that are kept."""
        kept = self.snapshots.list() if self.snapshots is not None else []
        return abci.ResponseListSnapshots(snapshots=kept)

    def load_snapshot_chunk(
        self, request: abci.RequestLoadSnapshotChunk
    ) -> abci.ResponseLoadSnapshotChunk:
        """Hand out a chunk, or nothing if it isn't kept any more."""
        if self.snapshots is None or request.format != FORMAT:
            return abci.ResponseLoadSnapshotChunk()
        chunk = self.snapshots.load(request.height, request.chunk)
        return abci.ResponseLoadSnapshotChunk(chunk=chunk)

    def offer_snapshot(self, request: abci.RequestOfferSnapshot) -> abci.ResponseOfferSnapshot:
        """Take a snapshot that may be the chain's state; whatever came of another is dropped."""
        self._restoration, result = begin_restoration(request, self._find_header)
        return abci.ResponseOfferSnapshot(result=result)

    def apply_snapshot_chunk(
        self, request: abci.RequestApplySnapshotChunk
    ) -> abci.ResponseApplySnapshotChunk:
        """Take a chunk; with the last, go on from the snapshot if it is the chain's state."""
        restoration = self._restoration
        if restoration is None:
            return abci.ResponseApplySnapshotChunk(result=abci.ResponseApplySnapshotChunk.ABORT)
        response = restoration.take(request)
        if restoration.is_whole:
            self._restoration = None
            fault = restoration.find_fault()
            if fault:
                return reject(restoration.head, fault)
            self.store.replace(restoration.head.block, restoration.rows)
            self._take_up()
            log.info("the state is the chain's at height %d", self.last.height)
        return response

    # ---- blocks

    def _execute(self, request: Any) -> Candidate:
        """Return what a proposed or decided block does, from memory if it was executed before."""
        candidate = self._candidates.get(request.hash)
        if candidate is not None:
            return candidate
        if 0 < self.halt_height < request.height:
            raise Halted(
                f"halted after height {self.halt_height}, as --halt-height says; nothing is lost: "
                "pollend start without it goes on"
            )
        started_s = time.perf_counter()
        draft = Overlay(self.state)
        txs = decode_block(request.txs, self._decode)
        block = self._block_of(request)
        result = chain.execute_block(draft, block, txs, self.verify)
        forest = self._forest.apply(draft.changes)
        response = render(result, txs, forest.root())
        self._check_invariants(draft, block.height)
        self.metrics.execution_s.observe(time.perf_counter() - started_s)
        candidate = Candidate(draft, result, txs, forest, response)
        if len(self._candidates) == CANDIDATES_MAX:
            del self._candidates[next(iter(self._candidates))]
        self._candidates[request.hash] = candidate
        return candidate

    def _block_of(self, request: Any) -> Block:
        """Return the block that a proposal or a decision is about."""
        return Block(
            chain_id=self.last.chain_id,
            height=request.height,
            time_ms=to_ms(request.time),
            previous_time_ms=self.last.time_ms,
            previous_app_hash=self.last.app_hash,
            proposer=request.proposer_address,
            misbehaviour=find_misbehaviour(request),
            absent=find_absent(request),
        )

    def _make_slot(self, block: Block) -> list[bytes]:
        """Return the slot that a block of this node's must have, or none."""
        if not beacon.is_proof_due(self.state):
            return []
        key = beacon.find_key(self.state, block) or b""
        proof = self._prove(key, beacon.compute_alpha(self.state, block))
        if proof is None:
            reason = f"no secret here belongs to its key for the beacon, {key.hex()}"
            log.error(
                "others refuse this validator's block: %s; see `pollend vrf show`",
                reason if key else "it has registered no key for the beacon",
            )
            return []
        return [encode_slot(Slot(block.proposer, proof))]

    def _has_right_slot(self, block: Block, txs: Sequence[BlockTx]) -> bool:
        """Whether to take a block for what is in its slot; a refusal is counted."""
        if chain.is_slot_right(self.state, block, txs):
            return True
        validator_count = sum(1 for _ in staking.bonded_validators(self.state))
        refusals_max = REFUSALS_PER_VALIDATOR * validator_count
        if chain.find_slot(txs) is None and self._refused_slots >= refusals_max:
            return True
        self._refused_slots += 1
        return False

    def _check_invariants(self, state: Reader, height: int) -> None:
        """Stop at the first sentence that doesn't hold, if checking is on and due."""
        started_s = time.monotonic()
        if not self._checks_invariants or started_s < self._check_due_s:
            return
        for sentence in chain.find_broken_invariants(state):
            broken(sentence)
        self.metrics.checked_height.set(height)
        ended_s = time.monotonic()
        self._check_due_s = ended_s + INVARIANT_SHARE * (ended_s - started_s)

    def _decode(self, raw: bytes) -> Tx | Undecodable:
        """Return a transaction, remembered from admission to execution."""
        return self._decode_large(raw) if len(raw) > LARGE_TX_BYTES else self._decode_small(raw)

    def _forget_candidates(self) -> None:
        self._candidates.clear()
        self._decided = None
        self._refused_slots = 0


def render(
    result: chain.BlockResult, txs: Sequence[BlockTx], app_hash: bytes
) -> abci.ResponseFinalizeBlock:
    """Return a block's result as the engine takes it."""
    events = [field(BLOCK_EVENTS_TAG, event) for event in block_events(result)]
    results = [
        field(TX_RESULTS_TAG, render_tx(*pair)) for pair in zip(result.tx_results, txs, strict=True)
    ]
    response = abci.ResponseFinalizeBlock.FromString(b"".join(events + results))
    response.app_hash = app_hash
    response.validator_updates.extend(to_updates(result.powers))
    return response


def render_tx(result: chain.TxResult, tx: BlockTx) -> bytes:
    """Return a transaction's result, serialized, as the engine takes it."""
    messages = tx.messages if isinstance(tx, Tx) else ()
    rest = abci.ExecTxResult(
        code=result.code,
        codespace=result.codespace,
        log=result.detail,
        data=result_data(result, messages),
        gas_wanted=min(result.gas_wanted, INT64_MAX),
        gas_used=result.gas_used,
    )
    events = [field(TX_EVENTS_TAG, event) for event in tx_events(result, messages)]
    return b"".join(events) + bytes(rest.SerializeToString())


def job_events(result: chain.BlockResult) -> list[JobEvent]:
    """Return the events of a block that are about a job, in order."""
    block = result.block
    times = U64(block.time_ms), U64(block.clock_ms)
    records = [each for each in typed_records(result) if hasattr(each, "job_id")]
    return [
        JobEvent(each.job_id, U64(block.height), U32(index), *times, pack(each).SerializeToString())
        for index, each in enumerate(records)
    ]


def order_by_sequence(
    txs: Sequence[tuple[Tx | Undecodable, bytes]],
) -> list[tuple[Tx, bytes]]:
    """Return the decodable transactions; each account's keep its places, in order of sequence."""
    decoded = [(tx, raw) for tx, raw in txs if isinstance(tx, Tx) and tx.signer_infos]
    queues: dict[bytes, list[tuple[Tx, bytes]]] = defaultdict(list)
    for pair in decoded:
        queues[pair[0].signers[0]].append(pair)
    in_order = {
        signer: iter(sorted(queue, key=lambda pair: pair[0].signer_infos[0].sequence))
        for signer, queue in queues.items()
    }
    return [next(in_order[tx.signers[0]]) for tx, _ in decoded]


def proto_bytes(raw: bytes) -> int:
    """Return what a transaction takes up in a block: tag, length, bytes."""
    return 1 + max(1, -(-len(raw).bit_length() // 7)) + len(raw)
