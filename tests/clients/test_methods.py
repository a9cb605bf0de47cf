"""Each gRPC method that wallets, explorers, relayers and client libraries use is there."""

from typing import Any

import pytest

from app.node.status import ask
from tests.clients.conftest import World
from tests.clients.test_rest import Answer

METHODS = {
    "cosmos.auth.v1beta1.Query": "Account AccountInfo Bech32Prefix Params",
    "cosmos.authz.v1beta1.Query": "GranteeGrants GranterGrants Grants",
    "cosmos.bank.v1beta1.Query": "AllBalances Balance DenomMetadata DenomsMetadata Params "
    "SpendableBalances SupplyOf TotalSupply",
    "cosmos.base.node.v1beta1.Service": "Config",
    "cosmos.base.tendermint.v1beta1.Service": "GetBlockByHeight GetLatestBlock "
    "GetLatestValidatorSet GetNodeInfo GetSyncing GetValidatorSetByHeight",
    "cosmos.consensus.v1.Query": "Params",
    "cosmos.distribution.v1beta1.Query": "CommunityPool DelegationRewards DelegationTotalRewards "
    "DelegatorValidators DelegatorWithdrawAddress Params ValidatorCommission "
    "ValidatorDistributionInfo ValidatorOutstandingRewards ValidatorSlashes",
    "cosmos.feegrant.v1beta1.Query": "Allowance Allowances AllowancesByGranter",
    "cosmos.gov.v1.Query": "Deposit Deposits Params Proposal Proposals TallyResult Vote Votes",
    "cosmos.gov.v1beta1.Query": "Deposit Deposits Params Proposal Proposals TallyResult Vote Votes",
    "cosmos.mint.v1beta1.Query": "AnnualProvisions Inflation Params",
    "cosmos.params.v1beta1.Query": "Params",
    "cosmos.slashing.v1beta1.Query": "Params SigningInfo SigningInfos",
    "cosmos.staking.v1beta1.Query": "Delegation DelegatorDelegations "
    "DelegatorUnbondingDelegations DelegatorValidator DelegatorValidators HistoricalInfo Params "
    "Pool Redelegations UnbondingDelegation Validator ValidatorDelegations "
    "ValidatorUnbondingDelegations Validators",
    "cosmos.tx.v1beta1.Service": "GetBlockWithTxs GetTx GetTxsEvent Simulate",
    "cosmos.upgrade.v1beta1.Query": "AppliedPlan CurrentPlan",
}
PATHS = [f"/{service}/{name}" for service, names in METHODS.items() for name in names.split()]
UNKNOWN = "unknown query path"


@pytest.mark.parametrize("path", PATHS)
def test_a_method_is_answered_through_the_engine(world: World, path: str) -> None:
    status, text = ask(world.node.rpc, f'/abci_query?path="{path}"')
    assert status == 200
    assert UNKNOWN not in text
    assert "internal error" not in text


def test_a_method_that_is_not_there_is_said_to_be_unknown(world: World) -> None:
    assert UNKNOWN in ask(world.node.rpc, '/abci_query?path="/cosmos.x.v1.Query/Y"')[1]


def test_each_is_offered_by_rest_and_described(world: World) -> None:
    document: Any = Answer(world, "/openapi.json").json
    offered = [
        operation["operationId"]
        for each in document["paths"].values()
        for operation in each.values()
    ]
    assert [path for path in PATHS if path[1:].replace("/", ".") not in offered] == []
