"""Signatures: ours hold for Cosmos' libraries, and theirs for us."""

from hashlib import sha256

from cosmpy.aerial.client.bank import create_bank_send_msg
from cosmpy.aerial.tx import SigningCfg, Transaction, TxFee
from cosmpy.aerial.wallet import LocalWallet
from cosmpy.crypto.address import Address as CosmpyAddress
from cosmpy.crypto.keypairs import PrivateKey, PublicKey
from cosmpy.protos.cosmos.tx.v1beta1.tx_pb2 import SignDoc

from app.kernel.bech32 import to_bech32
from app.kernel.crypto import SECP256K1_ORDER, verify_secp256k1
from app.kernel.record import U64, U128
from app.kernel.tx import Coin, SignerInfo, Tx
from app.modules.auth import compute_sign_bytes
from app.modules.bank import Send
from app.modules.jobs import CancelJob
from app.sdk.signer import Signer, Signing, Terms, sign_tx
from app.wire.tx import decode_tx

ANNA, BERT = Signer(sha256(b"anna").digest()), Signer(sha256(b"bert").digest())
TERMS = Terms(chain_id="test-1", gas_limit=90_000, fee_uflt=900, memo="hi", timeout_height=50)


def decoded(raw: bytes) -> Tx:
    tx = decode_tx(raw)
    assert isinstance(tx, Tx), tx.detail
    return tx


def test_a_signed_transaction_says_what_was_asked() -> None:
    messages = (CancelJob(ANNA.address, U64(3)), CancelJob(ANNA.address, U64(4)))
    tx = decoded(sign_tx(messages, [Signing(ANNA, 5, 7)], TERMS))
    assert tx.messages == messages
    assert (tx.signers, tx.payer) == ((ANNA.address,), ANNA.address)
    assert tx.fee == (Coin("uflt", U128(900)),)
    assert (tx.gas_limit, tx.memo, tx.timeout_height) == (90_000, "hi", 50)
    assert tx.signer_infos == (SignerInfo(ANNA.pubkey, 7),)


def test_each_signer_signs_with_its_own_number() -> None:
    messages = (CancelJob(ANNA.address, U64(3)), CancelJob(BERT.address, U64(4)))
    tx = decoded(sign_tx(messages, [Signing(ANNA, 5, 7), Signing(BERT, 0, 0)], TERMS))
    for signer, number, signature in zip((ANNA, BERT), (5, 0), tx.signatures, strict=True):
        digest = sha256(compute_sign_bytes(tx, "test-1", number)).digest()
        assert verify_secp256k1(signer.pubkey, digest, signature)


def test_the_signed_bytes_are_cosmos_sign_doc() -> None:
    tx = decoded(sign_tx((CancelJob(ANNA.address, U64(3)),), [Signing(ANNA, 5, 7)], TERMS))
    document = SignDoc(
        body_bytes=tx.body_bytes,
        auth_info_bytes=tx.auth_info_bytes,
        chain_id="test-1",
        account_number=5,
    )
    assert compute_sign_bytes(tx, "test-1", 5) == document.SerializeToString()
    assert PublicKey(ANNA.pubkey).verify(document.SerializeToString(), tx.signatures[0])


def test_s_is_low_and_signing_repeats_itself() -> None:
    for i in range(32):
        signature = ANNA.sign(bytes([i]))
        assert int.from_bytes(signature[32:], "big") <= SECP256K1_ORDER // 2
        assert signature == ANNA.sign(bytes([i]))


def test_a_transaction_of_cosmpy_holds_here() -> None:
    wallet = LocalWallet(PrivateKey(ANNA.secret), prefix="pollen")
    assert str(wallet.address()) == to_bech32(ANNA.address)
    transaction = Transaction()
    target = CosmpyAddress(bytes(BERT.address), "pollen")
    transaction.add_message(create_bank_send_msg(wallet.address(), target, 5, "uflt"))
    transaction.seal(
        SigningCfg.direct(wallet.public_key(), 7), fee=TxFee("900uflt", 90_000), memo="hi"
    )
    transaction.sign(wallet.signer(), "test-1", 5)
    transaction.complete()
    tx = decoded(transaction.tx.SerializeToString())
    assert tx.messages == (Send(ANNA.address, BERT.address, (Coin("uflt", U128(5)),)),)
    digest = sha256(compute_sign_bytes(tx, "test-1", 5)).digest()
    assert verify_secp256k1(ANNA.pubkey, digest, tx.signatures[0])


def test_a_key_is_not_shown_by_accident() -> None:
    assert ANNA.secret.hex() not in repr(ANNA)
    assert repr(ANNA.secret) not in repr(ANNA)
