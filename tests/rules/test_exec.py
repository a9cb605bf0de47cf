"""Exec: messages run in the names of those who would have to sign them, all or none."""

from typing import Any

from cosmpy.protos.tendermint.abci.types_pb2 import Event

from app.chain import OK
from app.kernel.bech32 import to_bech32
from app.kernel.packed import Nested
from app.kernel.record import NO_ADDRESS, U64, Time
from app.modules import authz, bonds
from app.modules.authz import (
    GRANTS,
    Exec,
    ExecResponse,
    GenericAuthorization,
    Grant,
    GrantMessages,
    MessagesRevoked,
    NothingToRun,
    SendAuthorization,
)
from app.modules.bank import InsufficientFunds, Transferred
from app.modules.bonds import Bonded
from app.wire.events import tx_events, typed_records
from app.wire.records import put_packed
from tests.build import FLT, a_registration
from tests.build_chain import FEE_UFLT, GENESIS_MS, Ledger, a_send, a_signer
from tests.rules.test_grant_messages import SEND_URL, a_world, coins

RITA, WANDA, OLGA = (a_signer(name).address for name in ("rita", "wanda", "olga"))


def an_exec(*messages: Any) -> Exec:
    """Wanda runs messages."""
    return Exec(WANDA, tuple(map(put_packed, messages)))


def a_ledger(authorization: Any, until_ms: int = 0) -> Ledger:
    """A chain on which Rita lets Wanda run messages."""
    ledger = Ledger("rita", "wanda", "olga")
    grant = Grant(authorization, Time(until_ms))
    assert ledger.run([GrantMessages(RITA, WANDA, grant)]).code == OK
    return ledger


def test_a_message_is_run_in_its_signer_s_name_at_the_grantee_s_expense() -> None:
    ledger = a_ledger(GenericAuthorization(SEND_URL))
    rita, wanda = ledger.balance(RITA), ledger.balance(WANDA)

    result = ledger.run([an_exec(a_send(RITA, OLGA, 5 * FLT))])

    assert (result.code, result.responses) == (OK, (ExecResponse((b"",)),))
    assert ledger.balance(RITA) == rita - 5 * FLT
    assert ledger.balance(OLGA) == 1_005 * FLT
    assert ledger.balance(WANDA) == wanda - FEE_UFLT
    assert ledger.sequence(RITA) == 1
    assert GRANTS.has(ledger.state, (RITA, WANDA, SEND_URL))


def test_its_events_say_which_message_they_are_of() -> None:
    ledger = a_ledger(GenericAuthorization(SEND_URL))
    tx = ledger.tx([an_exec(a_send(WANDA, OLGA, 1), a_send(RITA, OLGA, 2))])
    (result,) = ledger.execute(tx).tx_results
    assert (0, Nested(1, Transferred(OLGA, RITA, "2uflt"))) in result.events
    events = [Event.FromString(each) for each in tx_events(result, tx.messages)]
    moved = [event for event in events if event.type == "transfer"][1:]
    shown = [{pair.key: pair.value for pair in event.attributes} for event in moved]
    assert [(each["authz_msg_index"], each["msg_index"]) for each in shown] == [
        ("0", "0"),
        ("1", "0"),
    ]
    assert [each["sender"] for each in shown] == [to_bech32(WANDA), to_bech32(RITA)]


def test_what_happens_within_is_news_to_those_who_watch() -> None:
    url = "/pollen.bonds.v1.MsgBond"
    ledger = a_ledger(GenericAuthorization(url))
    ledger.run([a_registration(RITA)], gas_limit=2_000_000, fee_uflt=20_000)
    result = ledger.execute(ledger.tx([an_exec(bonds.Bond(RITA, U64(FLT)))]))
    assert result.tx_results[0].code == OK, result.tx_results[0].detail
    assert [type(record) for record in typed_records(result)] == [Bonded]


def test_all_or_none_are_run() -> None:
    ledger = a_ledger(GenericAuthorization(SEND_URL))
    result = ledger.run([an_exec(a_send(RITA, OLGA, 1), a_send(RITA, OLGA, 10**15))])
    assert (result.code, result.codespace) == (InsufficientFunds.code, "bank")
    assert ledger.balance(OLGA) == 1_000 * FLT


def test_a_send_is_limited_in_all_and_to_some() -> None:
    ledger = a_ledger(SendAuthorization(coins(3), (OLGA,)))
    refused = ledger.run([an_exec(a_send(RITA, WANDA, 1))])
    assert (refused.code, "to_address" in refused.detail) == (2104, True)
    assert ledger.run([an_exec(a_send(RITA, OLGA, 2))]).code == OK
    row = GRANTS.must(ledger.state, (RITA, WANDA, SEND_URL))
    assert row.authorization == SendAuthorization(coins(1), (OLGA,))
    refused = ledger.run([an_exec(a_send(RITA, OLGA, 2))])
    assert (refused.code, "the limit is 1uflt" in refused.detail) == (2104, True)
    last = ledger.run([an_exec(a_send(RITA, OLGA, 1))])
    assert (0, MessagesRevoked(SEND_URL, RITA, WANDA)) in last.events
    assert ledger.run([an_exec(a_send(RITA, OLGA, 1))]).code == 2101


def test_what_was_not_authorized_is_refused() -> None:
    ledger = a_ledger(GenericAuthorization("/pollen.jobs.v1.MsgJoinJob"))
    result = ledger.run([an_exec(a_send(RITA, OLGA, 1))])
    assert (result.code, result.codespace) == (2101, "authz")
    for words in (to_bech32(RITA), to_bech32(WANDA), SEND_URL):
        assert words in result.detail


def test_an_authorization_counts_up_to_its_end() -> None:
    ledger = a_ledger(GenericAuthorization(SEND_URL), GENESIS_MS + 1_000)
    assert ledger.run([an_exec(a_send(RITA, OLGA, 1))]).code == OK
    assert ledger.run([an_exec(a_send(RITA, OLGA, 1))]).code == 2102


def test_one_s_own_messages_need_no_authorization() -> None:
    ledger = Ledger("wanda", "olga")
    assert ledger.run([an_exec(a_send(WANDA, OLGA, 1))]).code == OK


def test_messages_within_cost_their_gas_too() -> None:
    ledger = a_ledger(GenericAuthorization(SEND_URL))
    one = ledger.run([an_exec(a_send(RITA, OLGA, 1))])
    two = ledger.run([an_exec(a_send(RITA, OLGA, 1), a_send(RITA, OLGA, 1))])
    assert two.gas_used - one.gas_used > 20_000
    assert one.gas_used > ledger.run([a_send(WANDA, OLGA, 1)]).gas_used + 20_000


def test_an_exec_holds_a_message_and_not_too_many() -> None:
    world = a_world()
    wanda = world.account("wanda")
    sends = (put_packed(a_send(wanda, wanda, 1)),) * (authz.MESSAGES_MAX + 1)
    for packs in ((), sends):
        world.refused(Exec(wanda, packs), NothingToRun, f"msgs: {len(packs)}", "1 to 64")


def test_nobody_speaks_for_governance_or_nobody() -> None:
    from app.modules.upgrade import AUTHORITY, CancelUpgrade

    ledger = Ledger("wanda")
    for name in (AUTHORITY, NO_ADDRESS):
        assert ledger.run([an_exec(CancelUpgrade(name))]).code == 2101
