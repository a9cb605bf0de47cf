"""The chain: genesis in and out, the order of a block, what a failure leaves, questions."""

import inspect
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cosmpy.protos.cosmos.tx.v1beta1.tx_pb2 import AuthInfo, TxRaw

from app import chain
from app.chain import INTERNAL, MODULES, OK, Genesis
from app.kernel.context import Context
from app.kernel.errors import InvariantBroken, broken
from app.kernel.module import Message, Module
from app.kernel.record import U64, U128
from app.kernel.store import MemoryStore, Overlay, State
from app.kernel.tx import Slot, Undecodable
from app.modules import auth, bank, beacon, bonds, fees, jobs, rounds, upgrade
from app.modules.bank import Send
from app.modules.jobs import cancel_job
from app.wire.tx import decode_block, decode_tx
from tests.build import FLT, an_address
from tests.build_chain import FEE_UFLT, Ledger, a_send, a_signer
from tests.build_rounds import a_play

ADA, BEN = a_signer("ada").address, a_signer("ben").address


def an_app_state() -> dict[str, Any]:
    """The genesis of a small chain, as a file holds it."""
    state = chain.make_genesis(Genesis({ADA: 5 * FLT}, {}))
    return json.loads(json.dumps(state))  # type: ignore[no-any-return]


def a_busy_state() -> MemoryStore:
    """A job between its rounds, registrations, locks, deposits, something that unbonds."""
    play = a_play().to_challenge()
    play.world.run(bonds.Unbond(play.workers[0], U64(FLT)))
    play.world.run(jobs.PostJob(play.job().requester, play.job().spec, U64(20 * FLT)))
    state = play.world.state
    for module in MODULES:
        state.put(module.name.encode() + b"/_", b"\x01")
    upgrade.VERSION.put(state, upgrade.Version(U64(chain.APP_VERSION)))
    return state


@pytest.mark.parametrize("make", [a_busy_state, lambda: Ledger("ada").state], ids=["busy", "new"])
def test_a_state_is_its_genesis_file(make: Callable[[], MemoryStore]) -> None:
    state, again = make(), MemoryStore()

    exported = json.loads(json.dumps(chain.export_genesis(state)))
    chain.init_genesis(again, exported)

    assert dict(again.items(b"")) == dict(state.items(b""))
    assert chain.export_genesis(again) == exported


def test_a_new_chain_has_the_params_and_balances_it_is_given() -> None:
    given = {"fees": {"gas_per_row": 7}, "rounds": {"deadline_blocks": 3}}
    state = MemoryStore()
    chain.init_genesis(state, chain.make_genesis(Genesis({ADA: 5}, given)))
    assert fees.PARAMS.get(state) == replace(fees.Params(), gas_per_row=U64(7))
    assert rounds.PARAMS.get(state).deadline_blocks == 3
    assert bank.get_balance(state, ADA) == bank.SUPPLY.must(state, "uflt").amount == 5
    assert bank.METADATA.get(state, "uflt") == bank.FLT_METADATA


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"fee": {}}, "params: no module is called fee"),
        ({"fees": {"gas": 1}}, r"fees.params: fields missing \[\], unknown \['gas'\]"),
        ({"fees": {"gas_per_row": -1}}, "fees.params.gas_per_row: -1 is not between 0 and"),
        ({"fees": {"gas_per_row": "much"}}, "fees.params.gas_per_row: 'much' is not a whole"),
        ({"fees": {"memo_length_max": 1 << 32}}, "is not between 0 and 4294967295"),
    ],
)
def test_a_wrong_param_is_named(params: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        chain.make_genesis(Genesis({}, params))


def at(state: Any, *path: Any) -> Any:
    """What lies at a path in plain values."""
    for step in path:
        state = state[step]
    return state


BALANCE = ("bank", "bank/balance", 0)
WRONG_GENESIS: list[tuple[tuple[Any, ...], Any, str]] = [
    (("auth",), None, r"app_state.auth: None is not a Mapping"),
    (("auth",), {}, r"app_state.auth: has \[\], needs exactly \['auth/account', 'auth/count'\]"),
    (("bank", "bank/balance"), {}, r"app_state.bank/balance: {} is not a list"),
    (BALANCE, [], r"app_state.bank/balance\[0\]: \[\] is not a Mapping"),
    (BALANCE, {"key": []}, r"balance\[0\]: has \['key'\], needs exactly \['key', 'value'\]"),
    ((*BALANCE, "key"), ["x"], r"balance\[0\].key: has 1 parts, not 2"),
    ((*BALANCE, "key", 0), "pollen1x", r"balance\[0\].key: address 'pollen1x' has 8 letters"),
    ((*BALANCE, "value", "amount"), "-1", r"balance\[0\].value.amount: -1 is not between 0 and"),
    ((*BALANCE, "value"), {}, r"balance\[0\].value: fields missing \['amount'\]"),
    ((*BALANCE, "value", "amount"), "6", r"does not hold: bank: the supply .* is the sum"),
    (("auth", "auth/account", 0, "value", "number"), "9", "auth: every account has its own number"),
    (("fees", "fees/params", "gas_per_row"), None, "fees/params.gas_per_row: None is not a whole"),
]


@pytest.mark.parametrize(("path", "value", "words"), WRONG_GENESIS)
def test_an_error_in_genesis_names_its_place(path: tuple[Any, ...], value: Any, words: str) -> None:
    app_state = an_app_state()
    at(app_state, *path[:-1])[path[-1]] = value
    with pytest.raises(ValueError, match=words):
        chain.init_genesis(MemoryStore(), app_state)


def test_a_module_too_many_or_too_few_is_named() -> None:
    app_state = an_app_state()
    app_state["banks"] = app_state.pop("bank")
    with pytest.raises(ValueError, match=r"modules missing \['bank'\], unknown \['banks'\]"):
        chain.init_genesis(MemoryStore(), app_state)


def test_a_row_that_is_there_twice_is_named() -> None:
    app_state = an_app_state()
    app_state["bank"]["bank/balance"] *= 2
    with pytest.raises(ValueError, match=r"bank/balance\[1\].key: is there twice"):
        chain.init_genesis(MemoryStore(), app_state)


def test_a_row_that_does_not_decode_is_found() -> None:
    state = Ledger("ada").state
    state.put(fees.PARAMS.row_key, b"\x01")
    assert list(chain.find_broken_invariants(state)) == [
        "fees: every row decodes: a varint is cut off or too long"
    ]


def test_hooks_run_from_the_bottom_of_the_stack_to_its_top(monkeypatch: pytest.MonkeyPatch) -> None:
    def saying(word: str) -> Callable[[State, Context], None]:
        return lambda state, ctx: ctx.emit((word, ctx.block.height, ctx.block.clock_ms))

    modules = [
        Module(name, "test", begin_block=saying(f"begin {name}"), end_block=saying(f"end {name}"))
        for name in ("low", "high")
    ]
    ledger = Ledger("ada", "ben")
    monkeypatch.setattr(chain, "MODULES", (*modules, *MODULES))
    monkeypatch.setattr(chain, "find_broken_invariants", lambda state: iter(()))

    result = ledger.execute(ledger.tx([a_send(ADA, BEN)]))

    clock_ms = ledger.block.time_ms
    assert result.begin_events == (("begin low", 1, clock_ms), ("begin high", 1, clock_ms))
    assert result.end_events == (("end low", 1, clock_ms), ("end high", 1, clock_ms))
    assert [each.code for each in result.tx_results] == [OK]


def test_a_hook_that_fails_stops_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    def divide(state: State, ctx: Context) -> None:
        ctx.emit(1 // 0)

    ledger = Ledger("ada")
    monkeypatch.setattr(chain, "MODULES", (Module("bad", "test", end_block=divide),))
    with pytest.raises(ZeroDivisionError):
        ledger.execute()


def replace_send(monkeypatch: pytest.MonkeyPatch, end: Callable[[], None]) -> None:
    """Let a send do its work and then come to another end."""

    def send(state: State, ctx: Context, msg: Send) -> None:
        bank.send(state, ctx, msg)
        end()

    monkeypatch.setitem(chain.RULES, Send, Message(send, 20_000, ""))


def test_a_bug_in_a_rule_fails_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger("ada", "ben")
    replace_send(monkeypatch, lambda: {}["missing"])

    result = ledger.run([a_send(ADA, BEN)])

    assert (result.code, result.codespace) == (INTERNAL, "chain")
    assert result.detail == "internal error: KeyError"
    assert (ledger.balance(ADA), ledger.balance(BEN)) == (1_000 * FLT - FEE_UFLT, 1_000 * FLT)
    assert (ledger.balance("fee_collector"), ledger.sequence(ADA)) == (FEE_UFLT, 1)
    monkeypatch.undo()
    assert ledger.run([a_send(ADA, BEN)]).code == OK


def fail_with(error: type[BaseException]) -> Callable[[], None]:
    """What raises an error."""

    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (lambda: broken("money is conserved"), InvariantBroken),
        (fail_with(MemoryError), MemoryError),
        (fail_with(RecursionError), RecursionError),
    ],
)
def test_a_broken_promise_stops_the_node(
    end: Callable[[], None], error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger("ada", "ben")
    replace_send(monkeypatch, end)
    with pytest.raises(error):
        ledger.run([a_send(ADA, BEN)])


def test_bytes_that_are_no_transaction_cost_nobody_anything() -> None:
    ledger = Ledger("ada")
    root = ledger.forest.root()
    (result,) = ledger.execute(Undecodable(2, "tx parse error: cut off")).tx_results
    assert result == chain.TxResult(2, "tx", "tx parse error: cut off", 0, 0, (), ())
    assert ledger.forest.root() == root


def test_a_block_goes_on_after_a_failing_transaction() -> None:
    ledger = Ledger("ada", "ben")
    txs = [ledger.tx([a_send(ADA, BEN, amount)], i) for i, amount in enumerate((1, 10**15, 2))]
    assert [result.code for result in ledger.execute(*txs).tx_results] == [OK, 101, OK]
    assert ledger.balance(BEN) == 1_000 * FLT + 3


def test_a_simulation_says_what_would_happen_and_writes_nothing() -> None:
    ledger = Ledger("ada", "ben")
    tx = ledger.tx([a_send(ADA, BEN)], gas_limit=1, fee_uflt=1)
    unsigned = replace(tx, signatures=(), signer_infos=())
    before = dict(ledger.state.items(b""))

    simulated = chain.simulate(ledger.state, ledger.next_block(), unsigned)

    assert dict(ledger.state.items(b"")) == before
    result = ledger.run([a_send(ADA, BEN)])
    assert simulated.code == result.code == OK
    assert 0 < simulated.gas_used <= result.gas_used < simulated.gas_used + 100
    assert simulated.events == tuple(event for event in result.events if event[0] >= 0)


def test_a_simulation_counts_the_bytes_that_are_still_missing() -> None:
    ledger = Ledger("ada", "ben")
    signed = TxRaw.FromString(ledger.sign([a_send(ADA, BEN)], gas_limit=0, fee_uflt=0))
    asked = TxRaw(body_bytes=signed.body_bytes, auth_info_bytes=signed.auth_info_bytes)
    asked.signatures.append(b"")
    keyless = AuthInfo.FromString(signed.auth_info_bytes)
    keyless.signer_infos[0].ClearField("public_key")

    for auth_info in (signed.auth_info_bytes, keyless.SerializeToString()):
        asked.auth_info_bytes = auth_info
        tx = decode_tx(asked.SerializeToString(), is_simulation=True)
        simulated = chain.simulate(ledger.state, ledger.next_block(), tx)
        result = ledger.run([a_send(ADA, BEN)])

        assert result.code == OK
        assert result.gas_used <= simulated.gas_used < result.gas_used + 200


def test_a_simulation_fails_as_the_transaction_would() -> None:
    ledger = Ledger("ada", "ben")
    poor = ledger.tx([a_send(ADA, BEN, 10**15)])
    assert chain.simulate(ledger.state, ledger.next_block(), poor).code == 101
    stranger = replace(poor, signers=(an_address("eve"),))
    with pytest.raises(auth.UnknownAccount):
        chain.simulate(ledger.state, ledger.next_block(), stranger)


def test_a_question_is_answered_by_its_module() -> None:
    answer = chain.run_query(Ledger("ada").state, fees.ParamsRequest())
    assert answer == fees.ParamsResponse(fees.Params())


def test_money_moves_alike_in_one_block_and_in_many() -> None:
    one, many = Ledger("ada", "ben"), Ledger("ada", "ben")
    sends = [[a_send(ADA, BEN, i)] for i in range(1, 4)]
    txs = [one.tx(messages, i) for i, messages in enumerate(sends)]
    one.execute(*txs)
    for tx in txs:
        many.execute(tx)
    assert one.forest.root() == many.forest.root()


def test_the_same_block_gives_the_same_root_on_a_draft_and_on_the_store() -> None:
    ledger = Ledger("ada", "ben")
    tx, block = ledger.tx([a_send(ADA, BEN)]), ledger.next_block()
    draft, verify = Overlay(ledger.state), lambda *_: True
    outer = Overlay(draft)
    first = chain.execute_block(outer, block, [tx], verify)
    outer.merge_into(draft)
    root = ledger.forest.apply(draft.changes).root()
    assert chain.execute_block(Overlay(ledger.state), block, [tx], verify) == first
    ledger.execute(tx)
    assert ledger.forest.root() == root


def test_a_block_begins_with_its_proposers_proof_exactly_when_one_is_due() -> None:
    ledger = Ledger("ada", "ben", validators=["vera", "vito"])
    ledger.execute()
    block, send = ledger.next_block(), ledger.tx([a_send(ADA, BEN)])
    assert chain.is_slot_right(ledger.state, block, [send])
    assert not chain.is_slot_right(ledger.state, block, [Slot(block.proposer, bytes(80)), send])
    assert ledger.owed() == []

    beacon.ask(ledger.state, Context(ledger.block))

    (slot,) = decode_block(ledger.owed())
    assert chain.is_slot_right(ledger.state, block, [slot, send])
    for txs in ([], [send], [send, slot], [replace(slot, proof=bytes(80)), send]):
        assert not chain.is_slot_right(ledger.state, block, txs)


def test_a_slot_is_no_transaction_and_costs_nobody_anything() -> None:
    ledger = Ledger("ada", "ben", validators=["vera", "vito"])
    ledger.execute()
    beacon.ask(ledger.state, Context(ledger.block))
    result = ledger.execute(*decode_block(ledger.owed()), ledger.tx([a_send(ADA, BEN)]))
    assert result.tx_results[0] == chain.TxResult(OK, "", "", 0, 0, (), ())
    assert result.tx_results[1].code == OK
    assert [event.is_proven for event in result.begin_events] == [True]


def test_a_name_is_given_once_and_a_table_bears_its_modules() -> None:
    tables = [(module, table.name) for module in MODULES for table in chain.declared(module)]
    assert len(tables) == len({name for _, name in tables})
    assert [name for module, name in tables if not name.startswith(f"{module.name}/")] == []
    kinds = [kind for module in MODULES for kind in (*module.messages, *module.queries)]
    assert len(kinds) == len(chain.RULES) + len(chain.QUERIES)


def test_a_message_is_signed_by_its_first_field() -> None:
    message = Send(ADA, BEN, (bank.Coin("uflt", U128(1)),))
    assert (chain.signer_of(message), chain.signer_field(Send)) == (ADA, "from_address")


def test_the_rule_that_the_readme_shows_is_the_real_one() -> None:
    readme = Path(chain.__file__).with_name("README.md").read_text()
    shown = readme.split("```python\n")[1].split("```")[0]
    assert re.sub(r" +# .*", "", shown) == inspect.getsource(cancel_job)
