"""The chain's proofs are what unmodified verifiers take, and nothing false is."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cosmpy.protos.cosmos.ics23.v1 import proofs_pb2 as ics23
from cosmpy.protos.tendermint.abci import types_pb2 as abci
from cosmpy.protos.tendermint.crypto.proof_pb2 import ProofOps

from app.chain import Genesis, init_genesis, make_genesis
from app.kernel.proof import ProofRefused, StateProof, prove, verify
from app.kernel.record import Address
from app.kernel.store import MemoryStore, Overlay
from app.kernel.trie import SENTINEL, SENTINEL_VALUE, Forest
from app.modules import bank
from app.wire.proofs import decode_proof, encode_proof
from tests.build_proofs import STORE, State, a_state, tampered
from tests.sim.workload import Simulation

BIN, TESTS = Path(sys.executable).parent, Path(__file__).parents[1]
GO, NODE_PROGRAM = BIN / "verify-proofs", TESTS / "js" / "verify_proofs.mjs"
STEPS_MAX = 128
"""What the verifiers take."""


class Case(NamedTuple):
    """A proof, and what it is said to show."""

    app_hash: bytes
    module: bytes
    key: bytes
    value: bytes | None
    ops: ProofOps


Verifier = Callable[[Sequence[Case]], list[bool]]
Verifiers = tuple[Verifier, ...]


def accept_ourselves(cases: Sequence[Case]) -> list[bool]:
    def accepts(case: Case) -> bool:
        try:
            proof = decode_proof(case.ops)
            return verify(proof, case.app_hash, case.module, case.key) == case.value
        except ProofRefused:
            return False

    return [accepts(case) for case in cases]


def ask(command: Sequence[str | Path], path: Path, cases: Sequence[Case]) -> list[bool]:
    """What a program says of each proof."""
    shown = [
        {
            "app_hash": to_text(case.app_hash),
            "module": to_text(case.module),
            "key": to_text(case.key),
            "value": None if case.value is None else to_text(case.value),
            "row_proof": to_text(case.ops.ops[0].data),
            "module_proof": to_text(case.ops.ops[1].data),
        }
        for case in cases
    ]
    path.write_text(json.dumps(shown))
    verdicts: list[bool] = json.loads(subprocess.check_output([*command, path], timeout=120))
    assert len(verdicts) == len(cases)
    return verdicts


def to_text(data: bytes) -> str:
    return b64encode(data).decode()


@pytest.fixture
def go(tmp_path: Path) -> Verifier:
    assert GO.exists(), f"{GO} is missing; build it: python scripts/setup.py ics23"
    return partial(ask, [GO], tmp_path / "cases.json")


@pytest.fixture
def npm(tmp_path: Path) -> Verifier:
    modules = NODE_PROGRAM.parent / "node_modules"
    assert modules.exists(), f"{modules} is missing; install it: python scripts/setup.py js"
    node = shutil.which("node") or str(BIN / "node")
    return partial(ask, [node, NODE_PROGRAM], tmp_path / "cases.json")


@pytest.fixture
def verifiers(go: Verifier, npm: Verifier) -> Verifiers:
    """Cosmos' own, the one for browsers, and ours."""
    return go, npm, accept_ourselves


def cases_of(state: State, keys: Sequence[bytes]) -> list[Case]:
    """A true case for each key, there or not."""
    app_hash = state.forest.root()
    return [
        Case(app_hash, STORE, key, state.rows.get(STORE + b"/" + key), encode_proof(proof))
        for key, proof in ((key, state.prove(key)) for key in keys)
    ]


def falsehoods(case: Case) -> Iterator[Case]:
    """The same proof for what it doesn't show."""
    yield case._replace(app_hash=sha256(case.app_hash).digest())
    yield case._replace(module=b"auth" if case.module == b"jobs" else b"jobs")
    if case.value is None:
        yield case._replace(value=b"v")
        row = ics23.CommitmentProof.FromString(case.ops.ops[0].data).nonexist
        for side in ("left", "right"):
            if row.HasField(side):
                yield case._replace(key=getattr(row, side).key)
                yield case._replace(key=getattr(row, side).key, value=getattr(row, side).value)
    else:
        yield case._replace(value=case.value + b"v")
        yield case._replace(value=None)
        yield case._replace(key=case.key + b"k")
        yield case._replace(key=case.key + b"k", value=None)


def forgeries(case: Case) -> Iterator[Case]:
    """The same statement with a proof that was changed, in every way there is."""
    for proof in tampered(decode_proof(case.ops)):
        yield case._replace(ops=encode_proof(proof))


def a_forgery(case: Case, chance: random.Random) -> Case:
    """One of them."""
    proofs = list(tampered(decode_proof(case.ops)))
    return case._replace(ops=encode_proof(chance.choice(proofs)))


def check_verdicts(verifiers: Verifiers, true: Sequence[Case], false: Sequence[Case]) -> None:
    """Every verifier takes what is true, and nothing that isn't."""
    for verifier in verifiers:
        verdicts = verifier([*true, *false])
        assert all(verdicts[: len(true)])
        assert not any(verdicts[len(true) :])


def random_keys(count: int, seed: int) -> list[bytes]:
    chance = random.Random(seed)
    return [chance.randbytes(chance.choice((1, 2, 3, 8, 20, 33, 60))) for _ in range(count)]


def test_thousands_of_random_keys_are_proved_and_no_lie_about_them(verifiers: Verifiers) -> None:
    present = random_keys(2_000, seed=1)
    state = State({key: sha256(key).digest()[: 1 + len(key) % 32] for key in present})
    cases = cases_of(state, [*set(present), *random_keys(2_000, seed=2)])
    assert len(cases) > 3_500
    assert 1_500 < sum(case.value is not None for case in cases) < 2_500
    chance = random.Random(3)
    lies = [chance.choice(list(falsehoods(case))) for case in cases]
    check_verdicts(verifiers, cases, [*lies, *(a_forgery(case, chance) for case in cases)])


def test_every_change_to_a_few_proofs_is_refused(verifiers: Verifiers) -> None:
    state = a_state(40)
    keys = [key.removeprefix(b"bank/") for key in state.rows if key.startswith(b"bank/")]
    cases = cases_of(state, [*keys[:5], *(key + b"x" for key in keys[:5]), b"\0", b"\xff" * 30])
    false = [each for case in cases for each in (*forgeries(case), *falsehoods(case))]
    assert len(false) > 500
    check_verdicts(verifiers, cases, false)


def test_keys_that_begin_with_one_another_are_told_apart(verifiers: Verifiers) -> None:
    keys = [b"ab" * length for length in range(1, 30)] + [b"a", b"ab\0", b"ab\0\0", b"ab\xff"]
    state = State(dict.fromkeys(keys, b"v"))
    absent = [key + end for key in keys for end in (b"\0", b"\1", b"\xff\xff")]
    cases = cases_of(state, [*keys, *absent])
    check_verdicts(verifiers, cases, [lie for case in cases for lie in falsehoods(case)])


def test_a_store_with_only_its_sentinel_has_proofs_too(verifiers: Verifiers) -> None:
    state = State({SENTINEL: SENTINEL_VALUE})
    cases = cases_of(state, [SENTINEL, b"\0", b"A", b"_\0", b"z", b"__"])
    assert [case.value for case in cases] == [SENTINEL_VALUE, None, None, None, None, None]
    check_verdicts(verifiers, cases, [lie for case in cases for lie in falsehoods(case)])


def chosen_addresses() -> list[Address]:
    """Addresses of which each leaves the first one a bit later: as keys, a tree 160 deep."""
    return [Address(((1 << 160) - (1 << at)).to_bytes(20, "big")) for at in range(160)]


def test_nobody_makes_the_tree_deep_by_choosing_addresses(verifiers: Verifiers) -> None:
    genesis = make_genesis(Genesis(dict.fromkeys(chosen_addresses(), 1), {}))
    state = Overlay(MemoryStore())
    init_genesis(state, genesis)
    forest = Forest().apply(state.changes)
    assert all(tree.height < 24 for tree in forest.trees.values())
    keys = [bank.BALANCES.key.encode((each, bank.DENOM)) for each in chosen_addresses()]
    cases = []
    for row_key in (*keys, *(key + b"x" for key in keys)):
        module, _, key = row_key.partition(b"/")
        proof = prove(state, forest, module, key)
        cases.append(Case(forest.root(), module, key, state.get(row_key), encode_proof(proof)))
    assert [case.value is None for case in cases] == [False] * 160 + [True] * 160
    check_verdicts(verifiers, cases, [])


def test_in_a_deep_tree_keys_could_not_be_proved(go: Verifier) -> None:
    state = State(dict.fromkeys(chosen_addresses(), b"v"))
    assert state.forest.trees[STORE].height > STEPS_MAX
    assert go(cases_of(state, chosen_addresses()[:1])) == [False]


def test_a_chains_own_proofs_are_taken(verifiers: Verifiers, tmp_path: Path) -> None:
    simulation = Simulation(1, tmp_path / "chain")
    simulation.run(40)
    simulation.world.start()  # Once more, as it stops at the end.
    app, memory = simulation.world.app, simulation.world.memory
    cases = [query(app, row_key, app.last.app_hash) for row_key, _ in memory.items(b"")]
    assert {case.module for case in cases} == set(app.view().forest.trees)
    assert [case.value for case in cases] == [value for _, value in memory.items(b"")]
    cases += [query(app, row_key + b"x", app.last.app_hash) for row_key, _ in memory.items(b"")]
    for height in range(1, app.last.height):
        past = app.history.find(height)
        rows = list(past.items(b""))[height % 10 :: 10]
        cases += [query(app, key, past.last.app_hash, height) for key, _ in rows]
    simulation.world.stop()
    assert len(cases) > 1_000
    chance = random.Random(1)
    lies = [chance.choice(list(falsehoods(case))) for case in cases]
    check_verdicts(verifiers, cases, [*lies, *(a_forgery(case, chance) for case in cases)])


def query(app: Any, row_key: bytes, app_hash: bytes, height: int = 0) -> Case:
    """What the node answers the engine about a row."""
    module, _, key = row_key.partition(b"/")
    path = f"/store/{module.decode()}/key"
    answer = app.query(abci.RequestQuery(path=path, data=key, height=height, prove=True))
    assert [op.type for op in answer.proof_ops.ops] == ["ics23:iavl", "ics23:simple"]
    assert [op.key for op in answer.proof_ops.ops] == [key, module]
    return Case(app_hash, module, key, answer.value or None, answer.proof_ops)


# ---- bytes


def a_proof(key: bytes) -> StateProof:
    return a_state(20).prove(key)


@pytest.mark.parametrize("key", [sha256(b"3").digest()[:5], b"absent", b"\0", b"\xff"])
def test_a_proof_comes_back_from_its_bytes(key: bytes) -> None:
    data = encode_proof(a_proof(key)).SerializeToString()
    assert decode_proof(ProofOps.FromString(data)) == a_proof(key)


def test_what_is_no_proof_is_refused() -> None:
    def refused(words: str, change: Callable[[ProofOps], object]) -> None:
        ops = encode_proof(a_proof(sha256(b"3").digest()[:5]))
        change(ops)
        with pytest.raises(ProofRefused, match=words):
            decode_proof(ops)

    def rehash(ops: ProofOps) -> None:
        proof = ics23.CommitmentProof.FromString(ops.ops[0].data)
        proof.exist.path[0].hash = ics23.SHA512
        ops.ops[0].data = proof.SerializeToString()

    def prehash(ops: ProofOps) -> None:
        proof = ics23.CommitmentProof.FromString(ops.ops[1].data)
        proof.exist.leaf.prehash_value = ics23.NO_HASH
        ops.ops[1].data = proof.SerializeToString()

    refused("two parts", lambda ops: ops.ops.pop())
    refused("two parts", lambda ops: ops.ops.reverse())
    refused("Error parsing", lambda ops: setattr(ops.ops[0], "data", b"\xff"))
    refused("another way", lambda ops: setattr(ops.ops[0], "data", b""))
    refused("another way", rehash)
    refused("another way", prehash)
