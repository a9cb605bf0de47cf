"""The REST gateway: Cosmos' JSON rules, errors, other origins, heights, its OpenAPI document."""

import json
import time
import urllib.error
import urllib.request
from base64 import b64encode
from typing import Any

import pytest

from app.kernel.record import U128
from app.kernel.tx import Coin
from app.modules.bank import Send
from app.sdk.signer import Signing, Terms, sign_tx
from tests.clients.conftest import World

HEIGHT = "x-cosmos-block-height"


class Answer:
    """What a path answers: status, headers, JSON."""

    def __init__(self, world: World, path: str, body: Any = None, **options: Any) -> None:
        data = None if body is None else json.dumps(body).encode()
        url = f"http://{world.node.rest}{path}"
        request = urllib.request.Request(url, data=data, **options)
        try:
            response = urllib.request.urlopen(request, timeout=20)
        except urllib.error.HTTPError as error:
            response = error
        self.status = response.status
        self.headers = response.headers
        text = response.read()
        self.json: Any = json.loads(text) if text else None


def test_a_page_of_another_origin_may_ask(world: World) -> None:
    preflight = Answer(world, "/cosmos/tx/v1beta1/txs", method="OPTIONS")
    assert preflight.status == 204
    for each in (preflight, Answer(world, "/pollen/fees/v1/params"), Answer(world, "/nowhere")):
        assert each.headers["Access-Control-Allow-Origin"] == "*"
    assert "content-type" in preflight.headers["Access-Control-Allow-Headers"]
    assert HEIGHT in preflight.headers["Access-Control-Expose-Headers"]


def test_an_answer_says_of_which_height_it_is(world: World) -> None:
    path = f"/cosmos/bank/v1beta1/balances/{world.address('ben')}"
    now = Answer(world, path)
    height = now.headers[HEIGHT]
    assert int(height) > 1
    then = Answer(world, path, headers={HEIGHT: "1"})
    assert (then.headers[HEIGHT], then.json["balances"]) == ("1", [])
    assert now.json["balances"] != []
    late = Answer(world, path, headers={HEIGHT: str(int(height) + 1_000)})
    assert (late.status, late.json["code"]) == (400, 3)
    assert "ask for one of these" in late.json["message"]
    wrong = Answer(world, path, headers={HEIGHT: "soon"})
    assert (wrong.status, wrong.json["code"]) == (400, 3)


REFUSED: list[tuple[str, Any, int, str]] = [
    ("/cosmos/nowhere", None, 12, "no such method"),
    ("/cosmos/tx/v1beta1/txs", {"mode": "BROADCAST_MODE_SYNC", "x": 1}, 3, "body"),
    ("/cosmos/tx/v1beta1/txs/" + "ab" * 32, None, 5, "tx not found"),
    ("/cosmos/tx/v1beta1/txs/1", None, 3, "hexadecimal"),
    ("/cosmos/base/tendermint/v1beta1/blocks/999999", None, 5, "not found"),
    ("/cosmos/base/tendermint/v1beta1/blocks/soon", None, 3, "height"),
    ("/cosmos/auth/v1beta1/accounts/cosmos1x", None, 3, "pollen1"),
    ("/cosmos/bank/v1beta1/denoms_metadata/atom", None, 5, "not found"),
    ("/cosmos/bank/v1beta1/supply?pagination.limit=many", None, 3, "pagination.limit"),
    ("/cosmos/bank/v1beta1/supply?pagination.key=QQ==", None, 3, "pagination.key"),
    ("/pollen/jobs/v1/job?job_id=77", None, 5, "no such job"),
]
STATUSES = {3: 400, 5: 404, 12: 501}


@pytest.mark.parametrize(("path", "body", "code", "words"), REFUSED)
def test_an_error_has_its_code_and_says_why(
    world: World, path: str, body: Any, code: int, words: str
) -> None:
    answer = Answer(world, path, body)
    assert (answer.status, answer.json["code"]) == (STATUSES[code], code)
    assert words in answer.json["message"]
    assert answer.json["details"] == []


def test_a_transaction_goes_in_and_is_found_by_hash_address_and_type(world: World) -> None:
    kim = world.signer("kim")
    found = Answer(world, f"/cosmos/auth/v1beta1/accounts/{world.address('kim')}").json["account"]
    assert found["@type"] == "/cosmos.auth.v1beta1.BaseAccount"
    signing = Signing(kim, int(found["account_number"]), int(found["sequence"]))
    send = Send(kim.address, world.signer("ben").address, (Coin("uflt", U128(3)),))
    terms = Terms(chain_id=world.network.chain_id, gas_limit=200_000, fee_uflt=2_000, memo="hi")
    raw = b64encode(sign_tx([send], [signing], terms)).decode()

    asked = Answer(world, "/cosmos/tx/v1beta1/simulate", {"tx_bytes": raw}).json
    assert 20_000 < int(asked["gas_info"]["gas_used"]) < 200_000
    handed = {"tx_bytes": raw, "mode": "BROADCAST_MODE_BLOCK"}
    sent = Answer(world, "/cosmos/tx/v1beta1/txs", handed).json["tx_response"]
    assert (sent["code"], sent["codespace"]) == (0, "")

    while (answer := Answer(world, f"/cosmos/tx/v1beta1/txs/{sent['txhash']}")).status == 404:
        time.sleep(0.1)  # Mode BLOCK waits some seconds only, on a machine that is busy too.
    tx = answer.json
    (message,) = tx["tx"]["body"]["messages"]
    assert message == {
        "@type": "/cosmos.bank.v1beta1.MsgSend",
        "from_address": world.address("kim"),
        "to_address": world.address("ben"),
        "amount": [{"denom": "uflt", "amount": "3"}],
    }
    (signer,) = tx["tx"]["auth_info"]["signer_infos"]
    assert signer["mode_info"] == {"single": {"mode": "SIGN_MODE_DIRECT"}}
    assert tx["tx_response"]["tx"]["@type"] == "/cosmos.tx.v1beta1.Tx"
    sender, recipient = message["from_address"], message["to_address"]
    for query in (
        f"message.sender='{sender}' AND message.action='{message['@type']}'",
        f"transfer.sender='{sender}' AND transfer.recipient='{recipient}'",
        f"tx.fee_payer='{sender}'",
    ):
        params = f"query={urllib.request.quote(query)}&order_by=ORDER_BY_DESC&limit=5"
        page = Answer(world, f"/cosmos/tx/v1beta1/txs?{params}").json
        assert page["tx_responses"][0]["txhash"] == sent["txhash"], query  # The newest comes first.
        assert int(page["total"]) >= 1
    height = tx["tx_response"]["height"]
    block = Answer(world, f"/cosmos/tx/v1beta1/txs/block/{height}").json
    assert block["txs"] == [tx["tx"]]
    assert block["block"]["header"]["height"] == height


def test_pages_lead_to_one_another(world: World) -> None:
    path = "/cosmos/base/tendermint/v1beta1/validatorsets/latest"
    (only,) = Answer(world, path).json["validators"]
    assert only["address"].startswith("pollenvalcons1")
    assert only["pub_key"]["@type"] == "/cosmos.crypto.ed25519.PubKey"
    page = Answer(world, f"{path}?pagination.offset=1&pagination.count_total=true").json
    assert (page["validators"], page["pagination"]) == ([], {"next_key": None, "total": "1"})


def test_the_openapi_document_describes_each_path(world: World) -> None:
    document = Answer(world, "/openapi.json").json
    account = document["paths"]["/cosmos/auth/v1beta1/accounts/{address}"]["get"]
    assert account["parameters"][0]["in"] == "path"
    supply = document["paths"]["/cosmos/bank/v1beta1/supply"]["get"]
    assert "pagination.limit" in [each["name"] for each in supply["parameters"]]
    assert "requestBody" in document["paths"]["/cosmos/tx/v1beta1/simulate"]["post"]
    assert "/pollen/jobs/v1/job" in document["paths"]
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert text.count(f"#/components/schemas/{name}") > 0
    for part in text.split("#/components/schemas/")[1:]:
        assert part.partition('"')[0] in document["components"]["schemas"]
