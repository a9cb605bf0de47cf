"""The whole chain in memory: people with keys, signed transactions, blocks.

ledger = Ledger("ada", "ben")
ada, ben = ledger.people("ada", "ben")
result = ledger.run([a_send(ada, ben)])
assert result.code == OK
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app import chain
from app.chain import BlockResult, Genesis, TxResult
from app.kernel import vrf
from app.kernel.context import Block
from app.kernel.crypto import module_address, sha256, verify_secp256k1
from app.kernel.record import U128, Address
from app.kernel.store import MemoryStore, Overlay
from app.kernel.trie import Forest
from app.kernel.tx import Coin, Slot, Tx
from app.modules import auth, bank, beacon
from app.modules.bank import Send
from app.sdk.signer import Signer, Signing, Terms, sign_tx
from app.wire.tx import decode_tx, encode_slot
from tests.build import FLT, a_validator, a_vrf_secret, an_address

CHAIN_ID = "pollen-test"
GENESIS_MS = 1_800_000_000_000
GAS_LIMIT = 1_000_000
FEE_UFLT = 10_000

Params = Mapping[str, Mapping[str, Any]]


def a_signer(name: str) -> Signer:
    """The key that belongs to a name."""
    return Signer(sha256(name.encode()))


def a_send(sender: Address, recipient: Address, amount_uflt: int = FLT) -> Send:
    """A message that moves one FLT unless told."""
    return Send(sender, recipient, (Coin("uflt", U128(amount_uflt)),))


class Ledger:
    """A chain in memory on which the named people have 1,000 FLT each; invariants hold always.

    The validators propose in turn; each is operated by one of the first of these people.
    """

    def __init__(
        self,
        *names: str,
        params: Params | None = None,
        uflt: int = 1_000 * FLT,
        validators: Sequence[str] = (),
    ) -> None:
        self.signers = {signer.address: signer for signer in map(a_signer, names)}
        balances = dict.fromkeys(self.signers, uflt)
        self.validators = validators
        self.vrf_secrets = {vrf.key_of(s): s for s in map(a_vrf_secret, validators)}
        known = [a_validator(name, who) for name, who in zip(validators, balances)]
        self.app_state = chain.make_genesis(Genesis(balances, params or {}, tuple(known)))
        self.state, self.forest = MemoryStore(), Forest()
        self.block = Block(CHAIN_ID, 0, 0, 0)
        genesis = Overlay(self.state)
        chain.init_genesis(genesis, self.app_state)
        self._keep(genesis)

    def people(self, *names: str) -> list[Address]:
        """The accounts that belong to names."""
        return [a_signer(name).address for name in names]

    def sign(self, messages: Sequence[Any], ahead: int = 0, **terms: Any) -> bytes:
        """The messages as a transaction that all their signers have signed, on the SDK's terms.

        `ahead` counts those transactions of the signers which come before it in its block.
        """
        signers = list(dict.fromkeys(map(chain.signer_of, messages)))
        signings = [self._signing(address, ahead) for address in signers]
        given = {"chain_id": CHAIN_ID, "gas_limit": GAS_LIMIT, "fee_uflt": FEE_UFLT, **terms}
        return sign_tx(messages, signings, Terms(**given))

    def tx(self, messages: Sequence[Any], ahead: int = 0, **terms: Any) -> Tx:
        """The same, decoded."""
        tx = decode_tx(self.sign(messages, ahead, **terms))
        assert isinstance(tx, Tx), tx
        return tx

    def next_block(self, seconds: int = 1) -> Block:
        """The block that comes next; the validators propose in turn."""
        height = self.block.height + 1
        time_ms = self.block.time_ms + 1_000 * seconds if self.block.time_ms else GENESIS_MS
        names = self.validators
        return Block(
            CHAIN_ID,
            height,
            time_ms,
            self.block.time_ms,
            previous_app_hash=self.forest.root(),
            proposer=an_address(names[height % len(names)]) if names else b"",
        )

    def owed(self) -> list[bytes]:
        """The slot that the next block must begin with, as bytes, or none."""
        if not beacon.is_proof_due(self.state):
            return []
        block = self.next_block()
        key = beacon.find_key(self.state, block) or b""
        proof = vrf.prove(self.vrf_secrets[key], beacon.compute_alpha(self.state, block))
        return [encode_slot(Slot(block.proposer, proof))]

    def execute(self, *txs: Any, seconds: int = 1) -> BlockResult:
        """Run and keep a block of decoded transactions."""
        draft = Overlay(self.state)
        result = chain.execute_block(draft, self.next_block(seconds), txs, verify_secp256k1)
        self.block = result.block
        self._keep(draft)
        return result

    def run(self, messages: Sequence[Any], **terms: Any) -> TxResult:
        """Run a block of one transaction."""
        return self.execute(self.tx(messages, **terms)).tx_results[0]

    def refused(self, tx: Tx, code: int, *words: object) -> None:
        """Run a transaction that is not admitted: with this code, these words, and no trace."""
        root = self.forest.root()
        (result,) = self.execute(tx).tx_results
        missing = [word for word in map(str, words) if word not in result.detail]
        assert (result.code, missing) == (code, []), result.detail
        assert (result.gas_used, result.events, result.responses) == (0, (), ())
        assert self.forest.root() == root

    def balance(self, who: Address | str) -> int:
        """What an account, or a module's account by name, holds."""
        address = module_address(who) if isinstance(who, str) else who
        return bank.get_balance(self.state, address)

    def sequence(self, who: Address) -> int:
        """How many transactions of an account were admitted."""
        return auth.ACCOUNTS.must(self.state, who).sequence

    def _signing(self, address: Address, ahead: int) -> Signing:
        account = auth.ACCOUNTS.must(self.state, address)
        return Signing(self.signers[address], account.number, account.sequence + ahead)

    def _keep(self, draft: Overlay) -> None:
        draft.merge_into(self.state)
        self.forest = self.forest.apply(draft.changes)
        assert list(chain.find_broken_invariants(self.state)) == []
