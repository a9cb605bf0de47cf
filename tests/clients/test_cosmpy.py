"""cosmpy's client, unmodified: over gRPC and over REST it sends, asks and waits."""

import pytest
from cosmpy.aerial.client import LedgerClient
from cosmpy.aerial.client.bank import create_bank_send_msg
from cosmpy.aerial.client.utils import prepare_and_broadcast_basic_transaction
from cosmpy.aerial.config import NetworkConfig
from cosmpy.aerial.exceptions import NotFoundError
from cosmpy.aerial.tx import SigningCfg, Transaction, TxFee
from cosmpy.aerial.wallet import LocalWallet
from cosmpy.crypto.keypairs import PrivateKey
from cosmpy.protos.cosmos.bank.v1beta1.bank_pb2 import Input, Output
from cosmpy.protos.cosmos.bank.v1beta1.tx_pb2 import MsgMultiSend
from cosmpy.protos.cosmos.base.v1beta1.coin_pb2 import Coin
from cosmpy.protos.cosmos.staking.v1beta1.query_pb2 import QueryDelegatorDelegationsRequest

from tests.build import FLT
from tests.clients.conftest import GIFT_UFLT, World

DOORS = {"pia": "grpc", "ray": "rest"}
"""Who comes in through which door."""


@pytest.fixture(params=DOORS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def wallet(world: World, name: str) -> LocalWallet:
    return LocalWallet(PrivateKey(world.signer(name).secret), prefix="pollen")


@pytest.fixture
def ledger(world: World, name: str) -> LedgerClient:
    door = DOORS[name]
    config = NetworkConfig(
        chain_id=world.network.chain_id,
        fee_minimum_gas_price=0.01,
        fee_denomination="uflt",
        staking_denomination="uflt",
        url=f"{door}+http://{getattr(world.node, door)}",
    )
    return LedgerClient(config, query_interval_secs=0, query_timeout_secs=20)


def a_stranger(name: str) -> LocalWallet:
    return LocalWallet(PrivateKey(f"nobody {name}".encode().ljust(32)), prefix="pollen")


def test_it_sends_and_finds_the_transaction(
    ledger: LedgerClient, wallet: LocalWallet, name: str
) -> None:
    stranger = a_stranger(name)
    before = ledger.query_bank_balance(wallet.address(), "uflt")

    tx = ledger.send_tokens(stranger.address(), 7_000, "uflt", wallet, memo="hi")
    tx.wait_to_complete()

    found = ledger.query_tx(tx.tx_hash)
    assert (found.code, found.is_successful()) == (0, True)
    assert found.height > 0
    assert 0 < found.gas_used <= found.gas_wanted
    assert found.events["transfer"]["recipient"] == str(stranger.address())
    assert ledger.query_bank_balance(stranger.address(), "uflt") == 7_000
    held = ledger.query_bank_all_balances(stranger.address())
    assert [(coin.denom, int(coin.amount)) for coin in held] == [("uflt", 7_000)]
    assert ledger.query_bank_balance(wallet.address(), "uflt") < before - 7_000


def test_it_sends_to_several(ledger: LedgerClient, wallet: LocalWallet, name: str) -> None:
    sender = str(wallet.address())
    strangers = [str(a_stranger(f"{name} {i}").address()) for i in range(3)]
    coin = Coin(denom="uflt", amount="5")
    outputs = [Output(address=address, coins=[coin]) for address in strangers]
    inputs = [Input(address=sender, coins=[Coin(denom="uflt", amount="15")])]
    tx = Transaction()
    tx.add_message(MsgMultiSend(inputs=inputs, outputs=outputs))

    prepare_and_broadcast_basic_transaction(ledger, tx, wallet).wait_to_complete()

    assert [ledger.query_bank_balance(address, "uflt") for address in strangers] == [5, 5, 5]


def test_it_stakes(ledger: LedgerClient, wallet: LocalWallet) -> None:
    (validator,) = ledger.query_validators()
    ledger.delegate_tokens(validator.address, 3 * FLT, wallet).wait_to_complete()
    ledger.undelegate_tokens(validator.address, FLT, wallet).wait_to_complete()

    request = QueryDelegatorDelegationsRequest(delegator_addr=str(wallet.address()))
    (held,) = ledger.staking.DelegatorDelegations(request).delegation_responses
    assert (held.balance.denom, int(held.balance.amount)) == ("uflt", 2 * FLT)
    assert held.delegation.validator_address == str(validator.address)


def test_it_shows_and_claims_rewards(ledger: LedgerClient, wallet: LocalWallet) -> None:
    (validator,) = ledger.query_validators()
    ledger.delegate_tokens(validator.address, 3 * FLT, wallet).wait_to_complete()
    ledger.send_tokens(wallet.address(), 1, "uflt", wallet).wait_to_complete()

    (stake,) = ledger.query_staking_summary(wallet.address()).current_positions
    assert (stake.validator, stake.reward_dec > 0) == (validator.address, True)
    tx = ledger.claim_rewards(validator.address, wallet)
    tx.wait_to_complete()
    said = ledger.query_tx(tx.tx_hash).events["withdraw_rewards"]
    assert said["validator"] == str(validator.address)
    assert said["delegator"] == str(wallet.address())
    assert said["amount"].endswith("uflt")


def test_it_simulates(ledger: LedgerClient, wallet: LocalWallet) -> None:
    account = ledger.query_account(wallet.address())
    tx = Transaction()
    tx.add_message(create_bank_send_msg(wallet.address(), wallet.address(), 1, "uflt"))
    tx.seal(SigningCfg.direct(wallet.public_key(), account.sequence), fee=TxFee("", 0))
    tx.sign(wallet.signer(), ledger.network_config.chain_id, account.number)
    tx.complete()

    assert 20_000 < ledger.simulate_tx(tx) < 200_000


def test_it_asks_for_blocks_and_params(ledger: LedgerClient, world: World) -> None:
    latest = ledger.query_latest_block()
    assert latest.chain_id == world.network.chain_id
    assert ledger.query_block(latest.height).time == latest.time
    assert ledger.query_height() >= latest.height
    assert ledger.query_chain_id() == world.network.chain_id


def test_what_is_not_there_is_said(ledger: LedgerClient, name: str) -> None:
    with pytest.raises(NotFoundError):
        ledger.query_tx("AB" * 32)
    with pytest.raises(Exception, match="not found"):
        ledger.query_account(a_stranger(f"{name} without an account").address())


def test_more_than_there_is_is_refused(ledger: LedgerClient, wallet: LocalWallet) -> None:
    with pytest.raises(Exception, match=f"{2 * GIFT_UFLT}uflt: .* insufficient funds"):
        ledger.send_tokens(wallet.address(), 2 * GIFT_UFLT, "uflt", wallet)
