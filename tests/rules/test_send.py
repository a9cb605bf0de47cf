import pytest

from app.kernel.crypto import module_address
from app.kernel.errors import Rejected
from app.kernel.record import U128, Address
from app.kernel.tx import Coin
from app.modules.bank import (
    CoinReceived,
    CoinSpent,
    InsufficientFunds,
    InvalidCoins,
    ModuleAccountRecipient,
    NoRecipient,
    Send,
    Transferred,
)
from tests.build import FLT, World, an_address


def uflt(amount: int) -> Coin:
    return Coin("uflt", U128(amount))


def test_money_moves_and_both_sides_are_told() -> None:
    world = World()
    ada, ben = world.account("ada", 5 * FLT), an_address("ben")

    world.run(Send(ada, ben, (uflt(2 * FLT),)))

    assert (world.balance(ada), world.balance(ben)) == (3 * FLT, 2 * FLT)
    assert world.said(CoinSpent) == [CoinSpent(ada, "2000000uflt")]
    assert world.said(CoinReceived) == [CoinReceived(ben, "2000000uflt")]
    assert world.said(Transferred) == [Transferred(ben, ada, "2000000uflt")]


def test_sending_to_oneself_changes_nothing() -> None:
    world = World()
    ada = world.account("ada", FLT)

    world.run(Send(ada, ada, (uflt(FLT),)))

    assert world.balance(ada) == FLT


@pytest.mark.parametrize(
    ("recipient", "coins", "rejection", "words"),
    [
        (an_address("ben"), (), InvalidCoins, ("none", 16)),
        (an_address("ben"), (uflt(0),), InvalidCoins, ("0uflt",)),
        (an_address("ben"), (uflt(1), uflt(1)), InvalidCoins, ("1uflt,1uflt",)),
        (an_address("ben"), (uflt(1), Coin("atom", U128(1))), InvalidCoins, ("1uflt,1atom",)),
        (Address(b""), (uflt(1),), NoRecipient, ("to_address",)),
        (module_address("escrow"), (uflt(1),), ModuleAccountRecipient, ("escrow",)),
        (an_address("ben"), (uflt(FLT + 1),), InsufficientFunds, (FLT + 1, FLT)),
        (an_address("ben"), (Coin("atom", U128(1)),), InsufficientFunds, ("1atom", "0atom")),
    ],
)
def test_what_cannot_be_sent_is_refused(
    recipient: Address, coins: tuple[Coin, ...], rejection: type[Rejected], words: tuple[object]
) -> None:
    world = World()
    ada = world.account("ada", FLT)

    world.refused(Send(ada, recipient, coins), rejection, *words)

    assert world.balance(ada) == FLT


def test_the_rows_of_several_coins_are_all_or_none() -> None:
    world = World()
    ada, ben = world.account("ada", FLT), an_address("ben")

    world.refused(Send(ada, ben, (Coin("atom", U128(1)), uflt(1))), InsufficientFunds, "atom")

    assert (world.balance(ada), world.balance(ben)) == (FLT, 0)
