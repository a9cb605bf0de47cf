"""Events as the engine, explorers and Cosmos' clients read them."""

import json
from typing import Any

from cosmpy.protos.cosmos.base.abci.v1beta1.abci_pb2 import TxMsgData
from cosmpy.protos.tendermint.abci.types_pb2 import Event

from app.chain import BlockResult, TxResult
from app.kernel.bech32 import to_bech32
from app.kernel.context import Block
from app.kernel.record import U32, U64, Address
from app.modules.auth import AccountSequence
from app.modules.bank import CoinSpent, Send
from app.sdk.protocol import (
    JobPhase,
    JobPhaseChanged,
    JoinJob,
    PostJob,
    PostJobResponse,
    RoundDrawn,
)
from app.wire.events import (
    block_events,
    pack_response,
    render_event,
    result_data,
    tx_events,
    typed_records,
)
from app.wire.records import unpack

ANNA, BERT = Address(b"a" * 20), Address(b"b" * 20)
SEND, JOIN = Send(ANNA, BERT, ()), JoinJob(BERT, U64(3))
PHASE = JobPhaseChanged(U64(1 << 60), JobPhase.RUNNING, 'a "reason"')


UNINDEXED = {"amount", "fee", "msg_index", "mode"}


def shown(record: Any) -> Event:
    return Event.FromString(render_event(record))


def attributes(event: Event | bytes) -> dict[str, str]:
    event = Event.FromString(event) if isinstance(event, bytes) else event
    for pair in event.attributes:
        assert pair.index == (pair.key not in UNINDEXED)
    return {pair.key: pair.value for pair in event.attributes}


def result(code: int = 0, *events: tuple[int, Any], responses: tuple[Any, ...] = ()) -> TxResult:
    return TxResult(code, "jobs", "why", 10, 5, events, responses)


def test_moneys_events_are_cosmos_plain_ones() -> None:
    event = shown(CoinSpent(ANNA, "5uflt"))
    assert event.type == "coin_spent"
    assert attributes(event) == {"spender": to_bech32(ANNA), "amount": "5uflt"}


def test_a_typed_event_has_its_full_name_and_json_values() -> None:
    event = shown(PHASE)
    assert event.type == "pollen.jobs.v1.EventJobPhaseChanged"
    assert {name: json.loads(value) for name, value in attributes(event).items()} == {
        "job_id": str(1 << 60),
        "phase": "JOB_PHASE_RUNNING",
        "reason": 'a "reason"',
    }


def test_bytes_are_base64_and_small_integers_are_numbers() -> None:
    event = shown(RoundDrawn(U64(1), U32(2), b"\xff\xfe", U32(3), U32(4), U32(5)))
    assert attributes(event)["seed"] == '"//4="'
    assert attributes(event)["round"] == "2"


def test_each_message_says_its_action_before_its_events() -> None:
    events = tx_events(
        result(0, (-1, AccountSequence("x/7")), (0, CoinSpent(ANNA, "5uflt")), (1, PHASE)),
        (SEND, JOIN),
    )
    assert [Event.FromString(event).type for event in events] == [
        "tx", "message", "coin_spent", "message", "pollen.jobs.v1.EventJobPhaseChanged",
    ]  # fmt: skip
    assert [attributes(event).get("msg_index") for event in events] == [None, "0", "0", "1", "1"]
    assert attributes(events[3]) == {
        "action": "/pollen.jobs.v1.MsgJoinJob",
        "sender": to_bech32(BERT),
        "module": "jobs",
        "msg_index": "1",
    }


def test_a_failed_transaction_says_only_that_it_was_admitted() -> None:
    failed = result(501, (-1, AccountSequence("x/7")))
    (event,) = tx_events(failed, (SEND,))
    assert Event.FromString(event).type == "tx"
    assert result_data(failed, (SEND,)) == b""


def test_answers_come_back_one_a_message() -> None:
    done = result(0, responses=(None, None))
    data = TxMsgData.FromString(result_data(done, (SEND, JOIN)))
    assert [packed.type_url for packed in data.msg_responses] == [
        "/cosmos.bank.v1beta1.MsgSendResponse",
        "/pollen.jobs.v1.MsgJoinJobResponse",
    ]
    packed = pack_response(PostJob, PostJobResponse(U64(9)))
    assert packed.type_url == "/pollen.jobs.v1.MsgPostJobResponse"
    assert unpack(packed) == PostJobResponse(U64(9))


def test_a_blocks_events_say_whether_it_began_or_ended() -> None:
    block = Block("test", 1, 1, 0)
    tx = result(0, (0, CoinSpent(ANNA, "5uflt")), (0, PHASE))
    done = BlockResult(block, (tx,), (PHASE,), (CoinSpent(ANNA, "1uflt"), PHASE), {})
    assert [attributes(event)["mode"] for event in block_events(done)] == [
        "BeginBlock", "EndBlock", "EndBlock",
    ]  # fmt: skip
    assert list(typed_records(done)) == [PHASE, PHASE, PHASE]
