"""What other libraries sign holds here: CosmJS' transactions, in each mode and with each key."""

import json
from dataclasses import replace
from typing import Any

import pytest

from app.kernel.amino import write_json
from app.kernel.bech32 import to_bech32
from app.kernel.context import Block
from app.kernel.crypto import address_of, verify_ed25519, verify_secp256k1
from app.kernel.keys import decode_multisig, split_multisignature
from app.kernel.record import U64
from app.kernel.tx import Members, Tx
from app.modules import fees
from app.modules.auth import Account, WrongMembers, WrongSignature, check_signers
from app.wire.amino import NAMES
from app.wire.records import KINDS_BY_URL
from app.wire.signers import read_key, write_key
from app.wire.tx import decode_tx
from tests.conftest import VECTORS

CASES: dict[str, Any] = json.loads((VECTORS / "tx/cosmjs.json").read_text())
MULTISIGS = [name for name in CASES if name.startswith("a multisig")]


def signed(name: str) -> Tx:
    tx = decode_tx(bytes.fromhex(CASES[name]["tx"]))
    assert isinstance(tx, Tx), tx.detail
    return tx


def check(name: str, tx: Tx, **changes: Any) -> Account:
    """Check the signature of a case, some of what is signed perhaps changed."""
    case = {**CASES[name], **changes}
    infos = tuple([info._replace(sequence=case["sequence"]) for info in tx.signer_infos])
    account = Account(U64(case["account_number"]), U64(case["sequence"]), b"")
    block = Block(case["chain_id"], 2, 0, 0)
    tx = replace(tx, signer_infos=infos)
    return check_signers([account], block, tx, verify_secp256k1)[0]


@pytest.mark.parametrize("name", CASES)
def test_a_signature_of_cosmjs_holds(name: str) -> None:
    tx = signed(name)

    used = check(name, tx)

    assert used.sequence == CASES[name]["sequence"] + 1
    assert to_bech32(address_of(used.pubkey)) == CASES[name]["address"]
    assert read_key(write_key(used.pubkey)) == used.pubkey


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    "change", [{"chain_id": "pollen-other"}, {"account_number": 8}, {"sequence": 5}]
)
def test_it_holds_on_one_chain_for_one_account_once(name: str, change: dict[str, Any]) -> None:
    tx = signed(name)
    if "sequence" in change and not tx.amino:
        tx = replace(tx, auth_info_bytes=tx.auth_info_bytes + b"\0")  # which has the sequence
    with pytest.raises(WrongSignature):
        check(name, tx, **change)


@pytest.mark.parametrize("name", [name for name in CASES if signed(name).amino])
def test_amino_json_says_all_that_a_transaction_does(name: str) -> None:
    tx = signed(name)
    for changed in (
        {"amino": tx.amino.replace("MsgSend", "MsgSent")},
        {"timeout_height": tx.timeout_height + 9},
    ):
        with pytest.raises(WrongSignature):
            check(name, replace(tx, **changed))


def test_json_has_one_form() -> None:
    value = {"b": [1, True, None, "<&>\u2028\u2029"], "a": {"z": "é", "y": '"\\/\n\x01'}}
    assert write_json(value) == (
        '{"a":{"y":"\\"\\\\/\\n\\u0001","z":"é"},'
        '"b":[1,true,null,"\\u003c\\u0026\\u003e\\u2028\\u2029"]}'
    )


UNNAMED = ("/cosmos.feegrant.v1beta1.MsgPruneAllowances", "/cosmos.gov.v1.MsgCancelProposal")
"""Cosmos' messages whose proto files give them no Amino name."""


def test_the_amino_name_of_a_cosmos_message_is_the_one_in_its_proto_file() -> None:
    from cosmpy.protos.amino.amino_pb2 import name as amino_name

    for url, name in NAMES.items():
        options = KINDS_BY_URL[url].protobuf.DESCRIPTOR.GetOptions()
        is_unnamed = url.startswith("/pollen.") or url in UNNAMED
        assert options.Extensions[amino_name] in (name, "" if is_unnamed else name)
    assert len(set(NAMES.values())) == len(NAMES)


# ---- keys of several


@pytest.mark.parametrize("name", MULTISIGS)
def test_of_a_multisig_each_who_signs_must_sign_rightly(name: str) -> None:
    tx = signed(name)
    for place in range(len(split_multisignature(tx.signatures[0]))):
        broken = bytearray(tx.signatures[0])
        broken[66 * place + 40] ^= 1
        with pytest.raises(WrongSignature):
            check(name, replace(tx, signatures=(bytes(broken),)))


def with_members(tx: Tx, **changes: Any) -> Tx:
    (info,) = tx.signer_infos
    assert info.members
    return replace(tx, signer_infos=(info._replace(members=info.members._replace(**changes)),))


def test_too_few_members_or_others_are_refused() -> None:
    tx = signed("a multisig")
    one = tx.signatures[0][:66]
    refused = [
        replace(with_members(tx, places=(0,), modes=(127,)), signatures=(one,)),
        replace(tx, signatures=(one,)),
        replace(tx, signatures=(tx.signatures[0] + b"\x12\x00",)),
        replace(tx, signatures=(tx.signatures[0][:-1],)),
        with_members(tx, size=4),
        replace(tx, signer_infos=(tx.signer_infos[0]._replace(members=None),)),
    ]
    for each in refused:
        with pytest.raises(WrongMembers, match="3 members, of whom 2 must sign"):
            check("a multisig", each)
    with pytest.raises(WrongSignature):
        check("a multisig", with_members(tx, places=(0, 1)))


def test_a_key_of_one_owner_has_no_members() -> None:
    tx = signed("direct")
    (info,) = tx.signer_infos
    members = Members(1, (0,), (1,))
    signature = b"\x0a\x40" + tx.signatures[0]
    tx = replace(tx, signer_infos=(info._replace(members=members),), signatures=(signature,))
    with pytest.raises(WrongMembers, match="1 members of 1 sign with 1 signatures"):
        check("direct", tx)


def test_each_signature_of_a_multisig_costs_gas_and_each_member_counts() -> None:
    params = fees.Params()
    for name, members, signatures in (("direct", 1, 1), ("a multisig", 3, 2)):
        tx = signed(name)
        entry_gas = fees.compute_entry_gas(params, tx)
        assert entry_gas == 10 * tx.size_bytes + signatures * params.gas_per_signature
        assert fees.count_keys(tx) == members


def test_a_multisig_key_is_as_amino_writes_it() -> None:
    key = signed("a multisig of more than eight").signer_infos[0].pubkey
    multisig = decode_multisig(key)
    assert multisig is not None
    assert (multisig.threshold, len(multisig.members)) == (2, 11)
    assert len(dict.fromkeys(multisig.members)) == 3


# ---- Ed25519


def test_an_ed25519_signature_is_of_one_key_over_one_text() -> None:
    # RFC 8032, 7.1, test 2
    key = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert verify_ed25519(key, b"\x72", signature)
    assert not verify_ed25519(key, b"\x73", signature)
    assert not verify_ed25519(key, b"\x72", signature[:-1])
    assert not verify_ed25519(key[:-1], b"\x72", signature)


def test_points_outside_the_group_sign_nothing() -> None:
    small = b"\x01" + bytes(31)  # its multiples are itself: it would sign anything
    assert not verify_ed25519(small, b"any", small + bytes(32))
    assert not verify_ed25519(bytes(32), b"any", bytes(64))
