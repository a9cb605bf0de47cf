"""The chain: its modules in order, and how genesis, a block, a transaction and a query are run.

Everything here is a function of its arguments. A block is executed on a draft over committed state;
the caller keeps the draft until it commits, or drops it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from app.kernel.context import Block, Context
from app.kernel.errors import (
    Fault,
    InvariantBroken,
    Rejected,
    UpgradeNeeded,
    broken,
    catch_faults,
)
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module, Query
from app.kernel.plain import checked, from_plain, to_plain
from app.kernel.record import U64, Address, ConsensusKey, Malformed
from app.kernel.store import MemoryStore, Overlay, Reader, State
from app.kernel.table import Index, Singleton, Table
from app.kernel.trie import SENTINEL, SENTINEL_VALUE
from app.kernel.tx import BlockTx, Slot, Tx, Undecodable
from app.modules import auth, authz, bank, beacon, clock, fees, gov, lower, staking, upgrade

APP_VERSION = 1
OK = 0
INTERNAL = 1

MODULES: tuple[Module, ...] = (*lower.MODULES, gov.MODULE, authz.MODULE)
"""From the bottom of the stack to its top; each may call only those before it."""

RULES: dict[type[Any], Message] = {k: v for m in MODULES for k, v in m.messages.items()}
QUERIES: dict[type[Any], Query] = {k: v for m in MODULES for k, v in m.queries.items()}
MODULE_OF: dict[type[Any], Module] = {k: m for m in MODULES for k in m.messages}


class Upgrade(NamedTuple):
    """How the state of the version before becomes that of this one."""

    version: int
    """Which this one is."""
    migrate: Callable[[State], None]


UPGRADES: Mapping[str, Upgrade] = {}
"""By name, those that lead to `APP_VERSION`; there is no second version yet."""


class TxResult(NamedTuple):
    """What became of one transaction."""

    code: int
    """0, or a rejection's code."""
    codespace: str
    detail: str
    gas_wanted: int
    gas_used: int
    events: tuple[tuple[int, Any], ...]
    """Each event with the index of its message; -1 for those of admission."""
    responses: tuple[Any, ...]
    """One a message: a response record, or None where the message answers nothing."""


class BlockResult(NamedTuple):
    """What became of one block."""

    block: Block
    """The block with the chain's own clock."""
    tx_results: tuple[TxResult, ...]
    begin_events: tuple[Any, ...]
    end_events: tuple[Any, ...]
    powers: Mapping[bytes, int]
    """Validators' new powers by consensus key; 0 to leave."""


class Founder(NamedTuple):
    """A validator that a chain begins with."""

    operator: Address
    key: bytes
    """Of consensus."""
    vrf_key: bytes
    """Of the beacon."""
    moniker: str
    stake_uflt: int
    """What the operator stakes of its balance."""


@frozen
class Genesis:
    """What a new chain begins with, beside the params."""

    balances: Mapping[Address, int]
    params: Mapping[str, Mapping[str, Any]]
    """Plain values by module and field, in place of the defaults."""
    validators: tuple[Founder, ...] = ()


def make_genesis(genesis: Genesis) -> dict[str, Any]:
    """Return the genesis file's `app_state` of a chain with these balances and params."""
    state = Overlay(MemoryStore())
    unknown = sorted(name for name in genesis.params if name not in [m.name for m in MODULES])
    if unknown:
        raise ValueError(f"params: no module is called {', '.join(unknown)}")
    for module in MODULES:
        for table in declared(module):
            if isinstance(table, Singleton):
                table.put(state, table.record())
        if module.params is not None:
            defaults = to_plain(module.params.record, module.params.record())
            fields = {**defaults, **genesis.params.get(module.name, {})}
            where = f"{module.name}.params"
            module.params.put(state, from_plain(module.params.record, fields, where))
    bank.METADATA.put(state, bank.DENOM, bank.FLT_METADATA)
    for address, amount_uflt in genesis.balances.items():
        bank.mint(state, address, amount_uflt)
    upgrade.VERSION.put(state, upgrade.Version(U64(APP_VERSION)))
    for founder in genesis.validators:
        add_founder(state, founder)
    return export_genesis(state)


def add_founder(state: State, founder: Founder) -> None:
    """Let a validator stake what its operator has for it, and know its key for the beacon."""
    key, operator = ConsensusKey(founder.key), staking.operator_of(founder.operator)
    if founder.stake_uflt > bank.get_balance(state, founder.operator):
        raise ValueError(f"validators: {founder.moniker} stakes more than its operator has")
    stake = U64(founder.stake_uflt)
    staking.found(state, staking.Founder(operator, key, founder.moniker, stake))
    address = staking.consensus_address(key)
    row = beacon.Validator(address, founder.operator, founder.vrf_key)
    beacon.VALIDATORS.put(state, address, row)


def declared(module: Module) -> tuple[Table[Any] | Index | Singleton[Any], ...]:
    """Return all that a module keeps in state."""
    return module.tables if module.params is None else (module.params, *module.tables)


def init_genesis(state: State, genesis: Mapping[str, Any]) -> None:
    """Write a genesis file's `app_state`; ValueError names the place that is wrong."""
    names = [module.name for module in MODULES]
    unknown = sorted(name for name in genesis if name not in names)
    missing = [name for name in names if name not in genesis]
    if unknown or missing:
        raise ValueError(f"app_state: modules missing {missing}, unknown {unknown}")
    for module in MODULES:
        state.put(module.name.encode() + b"/" + SENTINEL, SENTINEL_VALUE)
        place = f"app_state.{module.name}"
        rows = checked(genesis[module.name], Mapping, place)
        tables = {table.name: table for table in declared(module)}
        if sorted(rows) != sorted(tables):
            raise ValueError(f"{place}: has {sorted(rows)}, needs exactly {sorted(tables)}")
        for name, table in tables.items():
            import_table(state, table, rows[name], f"app_state.{name}")
    version = upgrade.VERSION.get(state).version
    if version != APP_VERSION:
        text = f"app_state.upgrade: of version {version}, this is version {APP_VERSION}"
        raise ValueError(f"{text}; begin with the node that exported it")
    for sentence in find_broken_invariants(state):
        raise ValueError(f"app_state: this does not hold: {sentence}")


def import_table(
    state: State, table: Table[Any] | Index | Singleton[Any], rows: Any, where: str
) -> None:
    """Write the plain rows of one table."""
    if isinstance(table, Singleton):
        table.put(state, from_plain(table.record, rows, where))
        return
    fields = ["key"] if isinstance(table, Index) else ["key", "value"]
    for i, row in enumerate(checked(rows, list, where)):
        place = f"{where}[{i}]"
        if sorted(checked(row, Mapping, place)) != fields:
            raise ValueError(f"{place}: has {sorted(row)}, needs exactly {fields}")
        parts = checked(row["key"], list, f"{place}.key")
        if len(parts) != len(table.key.parts):
            raise ValueError(f"{place}.key: has {len(parts)} parts, not {len(table.key.parts)}")
        pairs = zip(table.key.parts, parts, strict=True)
        key = tuple([from_plain(part, value, f"{place}.key") for part, value in pairs])
        if table.has(state, key):
            raise ValueError(f"{place}.key: is there twice")
        if isinstance(table, Index):
            table.add(state, key)
        else:
            table.put(state, key, from_plain(table.record, row["value"], f"{place}.value"))


def export_genesis(state: Reader) -> dict[str, Any]:
    """Return the whole state as plain values, from which `init_genesis` makes the same state."""
    return {
        module.name: {table.name: export_table(state, table) for table in declared(module)}
        for module in MODULES
    }


def export_table(state: Reader, table: Table[Any] | Index | Singleton[Any]) -> Any:
    """Return the rows of one table as plain values."""
    if isinstance(table, Singleton):
        return to_plain(table.record, table.get(state))
    rows = []
    pairs = (
        table.items(state) if isinstance(table, Table) else ((k, None) for k in table.keys(state))
    )
    for key, record in pairs:
        parts = key if isinstance(key, tuple) else (key,)
        shown = [to_plain(kind, part) for kind, part in zip(table.key.parts, parts, strict=True)]
        row: dict[str, Any] = {"key": shown}
        if isinstance(table, Table):
            row["value"] = to_plain(table.record, record)
        rows.append(row)
    return rows


def execute_block(
    state: Overlay, block: Block, txs: Sequence[BlockTx], verify: auth.Verify
) -> BlockResult:
    """Run a block on a draft: what is due at its beginning, its transactions, what is due after."""
    block = replace(clock.advance(state, block), slot=find_slot(txs))
    begin = Context(block)
    keep_version(state, begin)
    for module in MODULES:
        if module.begin_block is not None:
            module.begin_block(state, begin)
    results = tuple([execute_tx(state, block, tx, verify) for tx in txs])
    end = Context(block)
    for module in MODULES:
        if module.end_block is not None:
            module.end_block(state, end)
    return BlockResult(block, results, tuple(begin.events), tuple(end.events), end.powers)


def keep_version(state: State, ctx: Context) -> None:
    """Upgrade the state if that is due; `UpgradeNeeded` if these rules aren't those of the block.

    A node of the version before stops here, and so does one of the version after that came too
    early: what a block does depends on the rules, and all must apply the same.
    """
    version, height = upgrade.VERSION.get(state).version, ctx.block.height
    due = upgrade.find_due(state, height)
    if due is None:
        if version != APP_VERSION:
            plan = upgrade.PLAN.get(state)
            until = f" until height {plan.height}" if plan.height else ""
            raise UpgradeNeeded(
                f"the state at height {height - 1} is of version {version}, this is version "
                f"{APP_VERSION}: run version {version}{until}"
            )
        return
    found = UPGRADES.get(due.name)
    if found is None or found.version != APP_VERSION or version + 1 != APP_VERSION:
        raise UpgradeNeeded(
            f"upgrade {due.name!r} is due at height {height}, and this is version {APP_VERSION} "
            f"without it: install the version that has it and start again on the same home; "
            f"nothing was written. {due.info}".rstrip()
        )
    found.migrate(state)
    upgrade.apply(state, ctx, due, found.version)


def find_slot(txs: Sequence[BlockTx]) -> Slot | None:
    """Return what a block's proposer put into its first place, or None."""
    return txs[0] if txs and isinstance(txs[0], Slot) else None


def is_slot_right(state: Reader, block: Block, txs: Sequence[BlockTx]) -> bool:
    """Whether a block begins with its proposer's proof if one is due, and with none if not."""
    block = replace(block, slot=find_slot(txs))
    if not beacon.is_proof_due(state):
        return block.slot is None
    return beacon.find_output(state, block) is not None


def execute_tx(state: State, block: Block, tx: BlockTx, verify: auth.Verify) -> TxResult:
    """Admit a transaction and run its messages, all or none; the fee is kept either way."""
    if isinstance(tx, Slot):
        return TxResult(OK, "", "", 0, 0, (), ())
    if isinstance(tx, Undecodable):
        return TxResult(tx.code, "tx", tx.detail, 0, 0, (), ())
    admission = Overlay(state)
    try:
        admitted = fees.admit(admission, block, tx, verify)
    except Rejected as rejection:
        codespace = codespace_of(rejection)
        return TxResult(rejection.code, codespace, rejection.detail, tx.gas_limit, 0, (), ())
    admission.merge_into(state)
    draft = Overlay(state)
    result = run_messages(draft, block, tx)
    if result.code == OK:
        draft.merge_into(state)
    paid = tuple([(-1, event) for event in admitted])
    return TxResult(*result[:5], paid + result.events, result.responses)


def run_messages(draft: Overlay, block: Block, tx: Tx) -> TxResult:
    """Run a transaction's messages on a draft; a failure has a code and no events."""
    events: list[tuple[int, Any]] = []
    responses = []
    message_gas = sum([RULES[type(message)].gas for message in tx.messages])
    message_gas += authz.compute_nested_gas(tx.messages)
    try:
        with catch_faults():
            fees.check_gas_limit(tx, fees.compute_gas(draft, tx, message_gas))
            for index, message in enumerate(tx.messages):
                ctx = Context(block, signer_of(message))
                responses.append(RULES[type(message)].rule(draft, ctx, message))
                events += [(index, event) for event in ctx.events]
            gas_used = fees.compute_gas(draft, tx, message_gas)
            fees.check_gas_limit(tx, gas_used)
    except Rejected as rejection:
        code, codespace, detail = rejection.code, codespace_of(rejection), rejection.detail
    except Fault as fault:
        code, codespace, detail = INTERNAL, "chain", str(fault)
    else:
        shown = (OK, "", "", tx.gas_limit, gas_used)
        return TxResult(*shown, tuple(events), tuple(responses))
    gas_used = fees.compute_gas(draft, tx, message_gas)
    return TxResult(code, codespace, detail, tx.gas_limit, gas_used, (), ())


def simulate(state: Reader, block: Block, tx: Tx) -> TxResult:
    """Return what a transaction would do now, whatever its signatures and gas limit are."""
    draft = Overlay(state)
    block = clock.advance(draft, block)
    for signer in tx.signers:
        if auth.find_account(draft, signer) is None:
            raise auth.UnknownAccount(address=to_plain(Address, signer))
    limit, size_bytes = fees.PARAMS.get(draft).tx_gas_max, fees.compute_signed_size(tx)
    return run_messages(draft, block, replace(tx, gas_limit=limit, size_bytes=size_bytes))


def signer_of(message: Any) -> Address:
    """Return who must sign a message."""
    signer: Address = getattr(message, signer_field(type(message)))
    return signer


def signer_field(kind: type[Any]) -> str:
    """Return the name of the field that says who must sign a message."""
    name: str = RULES[kind].signer or kind.__match_args__[0]
    return name


def codespace_of(rejection: Rejected) -> str:
    """Return the module that a rejection belongs to."""
    return type(rejection).__module__.removeprefix("app.modules.").partition(".")[0]


def run_query(state: Reader, request: Any) -> Any:
    """Answer a question from committed state."""
    return QUERIES[type(request)].function(state, request)


def find_broken_invariants(state: Reader) -> Iterator[str]:
    """Check all that always holds and walk the sentences that do not."""
    for module in MODULES:
        for check in (*module.invariants, every_row_decodes(module)):
            try:
                check(state)
            except InvariantBroken as sentence:
                yield f"{module.name}: {sentence}"


def every_row_decodes(module: Module) -> Any:
    """Return the check that each row of a module is the one encoding of its record."""

    def check(state: Reader) -> None:
        try:
            for table in declared(module):
                export_table(state, table)
        except Malformed as error:
            broken(f"every row decodes: {error}")

    return check
