import pytest

from app.kernel.crypto import module_address
from app.kernel.errors import Rejected
from app.kernel.record import U128, Address
from app.kernel.tx import Coin
from app.modules.bank import (
    OUTPUTS_MAX,
    Input,
    InsufficientFunds,
    InvalidCoins,
    ModuleAccountRecipient,
    MultiSend,
    NoRecipient,
    Output,
    SumsDiffer,
    Transferred,
    WrongInputs,
    WrongOutputs,
)
from tests.build import FLT, World, an_address

BEN, EVE = an_address("ben"), an_address("eve")


def uflt(amount: int) -> tuple[Coin, ...]:
    return (Coin("uflt", U128(amount)),)


def test_money_goes_to_several_at_once() -> None:
    world = World()
    ada = world.account("ada", 5 * FLT)

    outputs = (Output(BEN, uflt(FLT)), Output(EVE, uflt(2 * FLT)), Output(BEN, uflt(FLT)))
    world.run(MultiSend((Input(ada, uflt(4 * FLT)),), outputs))

    balances = [world.balance(who) for who in (ada, BEN, EVE)]
    assert balances == [FLT, 2 * FLT, 2 * FLT]
    assert world.said(Transferred)[1] == Transferred(EVE, ada, "2000000uflt")


@pytest.mark.parametrize(
    ("given", "outputs", "rejection", "words"),
    [
        (uflt(3), (Output(BEN, uflt(1)), Output(EVE, uflt(1))), SumsDiffer, ("3uflt", "2uflt")),
        (uflt(1), (Output(BEN, uflt(2)),), SumsDiffer, ("1uflt", "2uflt")),
        (uflt(1), (Output(BEN, (Coin("atom", U128(1)),)),), SumsDiffer, ("1atom",)),
        (uflt(1), (), WrongOutputs, ("outputs 0", OUTPUTS_MAX)),
        (uflt(257), (Output(BEN, uflt(1)),) * 257, WrongOutputs, ("outputs 257",)),
        (uflt(0), (Output(BEN, uflt(1)),), InvalidCoins, ("0uflt",)),
        (uflt(1), (Output(BEN, ()),), InvalidCoins, ("none",)),
        (uflt(1), (Output(Address(b""), uflt(1)),), NoRecipient, ("to_address",)),
        (uflt(1), (Output(module_address("bonds"), uflt(1)),), ModuleAccountRecipient, ("bonds",)),
        (
            uflt(FLT + 1),
            (Output(BEN, uflt(FLT)), Output(EVE, uflt(1))),
            InsufficientFunds,
            ("has only 0uflt",),
        ),
    ],
)
def test_what_cannot_be_sent_is_refused(
    given: tuple[Coin, ...],
    outputs: tuple[Output, ...],
    rejection: type[Rejected],
    words: tuple[object],
) -> None:
    world = World()
    ada = world.account("ada", FLT)

    world.refused(MultiSend((Input(ada, given),), outputs), rejection, *words)

    assert world.balance(ada) == FLT


def test_one_pays_all() -> None:
    world = World()
    ada, ben = world.account("ada", FLT), world.account("ben", FLT)

    inputs = (Input(ada, uflt(1)), Input(ben, uflt(1)))
    world.refused(MultiSend(inputs, (Output(EVE, uflt(2)),)), WrongInputs, "inputs 2")
