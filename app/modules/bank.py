"""Money: balances, who may move them, and how much there is.

The token is FLT, its base unit uflt (10^-6). Module accounts hold what the rules hold; nobody can
send to them. Supply changes only at genesis, by inflation and when money is burned.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.crypto import module_address
from app.kernel.errors import Rejected, broken, require
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module
from app.kernel.record import NO_ADDRESS, U32, U128, Address
from app.kernel.store import Reader, State
from app.kernel.table import Table
from app.kernel.tx import Coin
from app.modules import auth

DENOM = "uflt"
MODULE_ACCOUNTS = (
    "fee_collector",
    "distribution",
    "bonded_tokens_pool",
    "not_bonded_tokens_pool",
    "bonds",
    "escrow",
    "deposits",
    "treasury",
    "slashed",
    "disputes",
    "gov",
)
MODULE_ADDRESSES = {module_address(name): name for name in MODULE_ACCOUNTS}
COINS_MAX = 16
OUTPUTS_MAX = 256


@frozen
class Amount:
    """So much of a denomination."""

    amount: U128


@frozen
class DenomUnit:
    """One way to write an amount: 10^exponent base units."""

    denom: str
    exponent: U32
    aliases: tuple[str, ...]


@frozen
class Metadata:
    """How people see a denomination."""

    description: str
    denom_units: tuple[DenomUnit, ...]
    base: str
    display: str
    name: str
    symbol: str
    uri: str
    uri_hash: str


@frozen
class Input:
    """What somebody gives away."""

    address: Address
    coins: tuple[Coin, ...]


@frozen
class Output:
    """What somebody gets."""

    address: Address
    coins: tuple[Coin, ...]


@frozen
class Send:
    """Move coins from the signer to somebody."""

    from_address: Address
    to_address: Address
    amount: tuple[Coin, ...]


@frozen
class MultiSend:
    """Move coins from the signer, who is the only input, to several."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]

    @property
    def sender(self) -> Address:
        """Return who must sign."""
        return self.inputs[0].address if self.inputs else NO_ADDRESS


@frozen
class CoinSpent:
    """Money left an account."""

    EVENT_TYPE: ClassVar[str] = "coin_spent"
    spender: Address
    amount: str


@frozen
class CoinReceived:
    """Money reached an account."""

    EVENT_TYPE: ClassVar[str] = "coin_received"
    receiver: Address
    amount: str


@frozen
class Transferred:
    """Money went from one account to another."""

    EVENT_TYPE: ClassVar[str] = "transfer"
    recipient: Address
    sender: Address
    amount: str


@frozen
class Burned:
    """Money ceased to exist."""

    EVENT_TYPE: ClassVar[str] = "burn"
    burner: Address
    amount: str


class InsufficientFunds(Rejected):
    """More was asked than is there."""

    code = 101
    text = (
        "amount {amount}{denom}: {address} has only {balance}{denom}; "
        "insufficient funds, send less or add money"
    )


class InvalidCoins(Rejected):
    """Coins that are empty, zero, doubled or out of order."""

    code = 102
    text = (
        "amount {coins}: invalid coins; give 1 to {limit} positive amounts, "
        "each denomination once, sorted by name"
    )


class ModuleAccountRecipient(Rejected):
    """Money sent to an account that the rules keep."""

    code = 103
    text = "to_address {address}: is the module account {name!r}; choose another recipient"


class NoRecipient(Rejected):
    """Money sent to nobody."""

    code = 104
    text = "to_address: empty; give a pollen1… address"


class WrongInputs(Rejected):
    """A transfer to several that isn't from one."""

    code = 105
    text = "inputs {count}: exactly one must pay all outputs; send a message for each payer"


class WrongOutputs(Rejected):
    """A transfer to nobody or to too many."""

    code = 106
    text = "outputs {count}: from 1 to {limit}; split the transfer"


class SumsDiffer(Rejected):
    """A transfer that gives more or less than it takes."""

    code = 107
    text = "inputs {given}: the outputs sum to {taken}; both must be the same"


BALANCES = Table("bank/balance", key=(Address, str), record=Amount)
SUPPLY = Table("bank/supply", key=(str,), record=Amount)
BURNED = Table("bank/burned", key=(str,), record=Amount)
"""What of each denomination was destroyed."""
METADATA = Table("bank/metadata", key=(str,), record=Metadata)

FLT_METADATA = Metadata(
    description="The token of the Pollen marketplace for federated learning.",
    denom_units=(DenomUnit("uflt", U32(0), ("microflt",)), DenomUnit("flt", U32(6), ())),
    base="uflt",
    display="flt",
    name="Pollen",
    symbol="FLT",
    uri="",
    uri_hash="",
)


def get_balance(state: Reader, address: Address, denom: str = DENOM) -> int:
    """Return what an account holds."""
    row = BALANCES.get(state, (address, denom))
    return 0 if row is None else row.amount


def get_balances(state: Reader, address: Address) -> Iterator[Coin]:
    """Walk what an account holds, by denomination."""
    rows = [(denom, row.amount) for (_, denom), row in BALANCES.items(state, (address,))]
    for denom, amount in sorted(rows):
        yield Coin(denom, amount)


def get_supply(state: Reader) -> int:
    """Return how many uflt there are."""
    row = SUPPLY.get(state, DENOM)
    return 0 if row is None else row.amount


def get_burned(state: Reader) -> int:
    """Return how many uflt were destroyed."""
    row = BURNED.get(state, DENOM)
    return 0 if row is None else row.amount


def set_balance(state: State, address: Address, denom: str, amount: int) -> None:
    """Write what an account holds; nothing is no row."""
    if amount:
        BALANCES.put(state, (address, denom), Amount(U128(amount)))
    else:
        BALANCES.delete(state, (address, denom))


def move(state: State, ctx: Context, sender: Address, recipient: Address, amount_uflt: int) -> None:
    """Move uflt from one account to another; nothing happens for nothing."""
    if amount_uflt:
        move_coin(state, ctx, sender, recipient, Coin(DENOM, U128(amount_uflt)))


def move_coin(state: State, ctx: Context, sender: Address, recipient: Address, coin: Coin) -> None:
    """Move one coin and say so."""
    take(state, sender, coin)
    auth.open_account(state, recipient)
    held = get_balance(state, recipient, coin.denom)
    set_balance(state, recipient, coin.denom, held + coin.amount)
    text = f"{coin.amount}{coin.denom}"
    ctx.emit(CoinSpent(sender, text))
    ctx.emit(CoinReceived(recipient, text))
    ctx.emit(Transferred(recipient, sender, text))


def take(state: State, address: Address, coin: Coin) -> None:
    """Take a coin out of an account that has it."""
    balance = get_balance(state, address, coin.denom)
    set_balance(state, address, coin.denom, check_funds(balance, address, coin))


def check_funds(balance: int, address: Address, coin: Coin) -> int:
    """Return what is left of a balance that covers a coin."""
    if balance < coin.amount or coin.amount < 0:
        raise InsufficientFunds(
            amount=coin.amount, denom=coin.denom, address=to_bech32(address), balance=balance
        )
    return balance - coin.amount


def burn(state: State, ctx: Context, address: Address, amount_uflt: int) -> None:
    """Destroy uflt of an account."""
    take(state, address, Coin(DENOM, U128(amount_uflt)))
    SUPPLY.put(state, DENOM, Amount(U128(get_supply(state) - amount_uflt)))
    BURNED.put(state, DENOM, Amount(U128(get_burned(state) + amount_uflt)))
    ctx.emit(Burned(address, f"{amount_uflt}{DENOM}"))


def mint(state: State, address: Address, amount_uflt: int) -> None:
    """Create uflt for an account; only genesis and inflation do."""
    auth.open_account(state, address)
    set_balance(state, address, DENOM, get_balance(state, address) + amount_uflt)
    SUPPLY.put(state, DENOM, Amount(U128(get_supply(state) + amount_uflt)))


def coins_text(coins: tuple[Coin, ...]) -> str:
    """Return coins as people write them, the first few of too many."""
    return ",".join([f"{coin.amount}{coin.denom}" for coin in coins[: COINS_MAX + 1]]) or "none"


def are_valid_coins(coins: tuple[Coin, ...]) -> bool:
    """Whether coins are positive, sorted by denomination, each once (Cosmos SDK's Coins)."""
    denoms = [coin.denom for coin in coins]
    return (
        0 < len(coins) <= COINS_MAX
        and all(coin.amount > 0 for coin in coins)
        and denoms == sorted(dict.fromkeys(denoms))
    )


def check_coins(coins: tuple[Coin, ...]) -> None:
    """Refuse coins that can't be moved."""
    if not are_valid_coins(coins):
        raise InvalidCoins(coins=coins_text(coins), limit=COINS_MAX)


def check_recipient(address: Address) -> None:
    """Refuse to send to nobody, or to an account that the rules keep."""
    require(bool(address), NoRecipient)
    name = MODULE_ADDRESSES.get(address)
    if name is not None:
        raise ModuleAccountRecipient(address=to_bech32(address), name=name)


def sum_coins(outputs: tuple[Output, ...]) -> tuple[Coin, ...]:
    """Return what all outputs get together, sorted by denomination."""
    sums: dict[str, int] = {}
    for output in outputs:
        for coin in output.coins:
            sums[coin.denom] = sums.get(coin.denom, 0) + coin.amount
    return tuple([Coin(denom, U128(sums[denom])) for denom in sorted(sums)])


def send(state: State, ctx: Context, msg: Send) -> None:
    """Move coins from the signer to somebody who isn't a module."""
    check_coins(msg.amount)
    check_recipient(msg.to_address)

    for coin in msg.amount:
        move_coin(state, ctx, msg.from_address, msg.to_address, coin)


def multi_send(state: State, ctx: Context, msg: MultiSend) -> None:
    """Move coins from the signer to several who aren't modules, all or none."""
    require(len(msg.inputs) == 1, WrongInputs, count=len(msg.inputs))
    count = len(msg.outputs)
    require(0 < count <= OUTPUTS_MAX, WrongOutputs, count=count, limit=OUTPUTS_MAX)
    check_coins(msg.inputs[0].coins)
    for output in msg.outputs:
        check_coins(output.coins)
        check_recipient(output.address)
    taken = sum_coins(msg.outputs)
    if msg.inputs[0].coins != taken:
        raise SumsDiffer(given=coins_text(msg.inputs[0].coins), taken=coins_text(taken))

    for output in msg.outputs:
        for coin in output.coins:
            move_coin(state, ctx, msg.sender, output.address, coin)


def supply_is_the_sum_of_all_balances(state: Reader) -> None:
    """The supply of every denomination is the sum of all balances in it."""
    totals: dict[str, int] = {}
    for (_, denom), row in BALANCES.items(state):
        totals[denom] = totals.get(denom, 0) + row.amount
    supply = {denom: row.amount for denom, row in SUPPLY.items(state) if row.amount}
    if totals != supply:
        broken(f"the supply {supply} is the sum of all balances {totals}")


MODULE = Module(
    name="bank",
    package="cosmos.bank.v1beta1",
    tables=(BALANCES, SUPPLY, BURNED, METADATA),
    messages={
        Send: Message(send, gas=20_000, amino_name="cosmos-sdk/MsgSend"),
        MultiSend: Message(
            multi_send, gas=50_000, amino_name="cosmos-sdk/MsgMultiSend", signer="sender"
        ),
    },
    events=(CoinSpent, CoinReceived, Transferred, Burned),
    accounts=MODULE_ACCOUNTS,
    invariants=(supply_is_the_sum_of_all_balances,),
)
