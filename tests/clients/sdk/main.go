// Command sdk runs a real Cosmos SDK chain and writes what it answers to each REST path.
//
//	go run . PATHS.json > ANSWERS.json
//
// The file of paths is a JSON list. In a path {kim} is an account that has sent, staked, taken
// stake out, proposed, voted and granted, all in the transaction {hash} of block {height};
// {operator} is the validator it has staked with, {proposal} what it has proposed. The answers are one object by path.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	_ "github.com/cosmos/cosmos-sdk/x/auth"
	_ "github.com/cosmos/cosmos-sdk/x/auth/tx/config"
	_ "github.com/cosmos/cosmos-sdk/x/authz/module"
	_ "github.com/cosmos/cosmos-sdk/x/bank"
	_ "github.com/cosmos/cosmos-sdk/x/consensus"
	_ "github.com/cosmos/cosmos-sdk/x/distribution"
	_ "github.com/cosmos/cosmos-sdk/x/evidence"
	_ "github.com/cosmos/cosmos-sdk/x/feegrant/module"
	_ "github.com/cosmos/cosmos-sdk/x/genutil"
	_ "github.com/cosmos/cosmos-sdk/x/gov"
	_ "github.com/cosmos/cosmos-sdk/x/mint"
	_ "github.com/cosmos/cosmos-sdk/x/slashing"
	_ "github.com/cosmos/cosmos-sdk/x/staking"

	"github.com/cosmos/cosmos-sdk/client/tx"
	"github.com/cosmos/cosmos-sdk/testutil/configurator"
	"github.com/cosmos/cosmos-sdk/testutil/network"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

// quiet keeps the network's words off the output.
type quiet struct{}

func (quiet) Log(...any)          {}
func (quiet) Logf(string, ...any) {}

func main() {
	raw, err := os.ReadFile(os.Args[1])
	check(err)
	var paths []string
	check(json.Unmarshal(raw, &paths))
	check(json.NewEncoder(os.Stdout).Encode(record(paths)))
}

// record starts a chain of one validator and asks it for every path.
func record(paths []string) map[string]json.RawMessage {
	config, err := network.DefaultConfigWithAppConfig(configurator.NewAppConfig(
		configurator.AuthModule(), configurator.AuthzModule(), configurator.BankModule(),
		configurator.ConsensusModule(), configurator.DistributionModule(),
		configurator.EvidenceModule(), configurator.FeegrantModule(),
		configurator.GenutilModule(), configurator.GovModule(), configurator.MintModule(),
		configurator.SlashingModule(), configurator.StakingModule(), configurator.TxModule(),
	))
	check(err)
	config.NumValidators = 1
	folder, err := os.MkdirTemp("", "sdk")
	check(err)
	chain, err := network.New(quiet{}, folder, config)
	check(err)
	defer chain.Cleanup()
	height, hash := act(chain)
	validator := chain.Validators[0]
	names := strings.NewReplacer(
		"{kim}", validator.Address.String(), "{operator}", validator.ValAddress.String(),
		"{height}", fmt.Sprint(height), "{hash}", hash, "{proposal}", "1",
	)
	answers := map[string]json.RawMessage{}
	for _, path := range paths {
		response, err := http.Get(validator.APIAddress + names.Replace(path))
		check(err)
		body, err := io.ReadAll(response.Body)
		check(err)
		check(response.Body.Close())
		if response.StatusCode != http.StatusOK {
			log.Fatalf("%s: %s: %s", path, response.Status, body)
		}
		answers[path] = body
	}
	return answers
}

// act submits one transaction that does a bit of everything; it returns its height and hash.
func act(chain *network.Network) (int64, string) {
	_, err := chain.WaitForHeight(2)
	check(err)
	validator, other := chain.Validators[0], sdk.AccAddress(make([]byte, 20))
	kim, operator := validator.Address, validator.ValAddress
	coin := func(amount int64) sdk.Coin { return sdk.NewInt64Coin(chain.Config.BondDenom, amount) }
	coins := func(amount int64) sdk.Coins { return sdk.NewCoins(coin(amount)) }
	end := time.Now().Add(time.Hour)
	grant, err := authz.NewMsgGrant(kim, other, authz.NewGenericAuthorization(
		sdk.MsgTypeURL(&banktypes.MsgSend{})), &end)
	check(err)
	allow, err := feegrant.NewMsgGrantAllowance(
		&feegrant.BasicAllowance{SpendLimit: coins(9)}, kim, other)
	check(err)
	messages := []sdk.Msg{
		banktypes.NewMsgSend(kim, kim, coins(1)),
		stakingtypes.NewMsgDelegate(kim.String(), operator.String(), coin(1_000)),
		stakingtypes.NewMsgUndelegate(kim.String(), operator.String(), coin(500)),
		&govv1.MsgSubmitProposal{
			InitialDeposit: coins(10_000_000), Proposer: kim.String(),
			Metadata: "none", Title: "a title", Summary: "a summary",
		},
		&govv1.MsgVote{ProposalId: 1, Voter: kim.String(), Option: govv1.OptionYes},
		grant, allow,
	}

	ctx := validator.ClientCtx
	factory := tx.Factory{}.WithChainID(chain.Config.ChainID).WithKeybase(ctx.Keyring).
		WithTxConfig(ctx.TxConfig).WithSignMode(signing.SignMode_SIGN_MODE_DIRECT).
		WithAccountNumber(0).WithSequence(1).WithGas(2_000_000).WithFees(coins(1_000).String())
	builder, err := factory.BuildUnsignedTx(messages...)
	check(err)
	check(tx.Sign(context.Background(), factory, validator.Moniker, builder, true))
	raw, err := ctx.TxConfig.TxEncoder()(builder.GetTx())
	check(err)
	sent, err := ctx.BroadcastTxSync(raw)
	check(err)
	height := waitFor(validator.APIAddress + "/cosmos/tx/v1beta1/txs/" + sent.TxHash)
	check(chain.WaitForNextBlock())
	return height, sent.TxHash
}

// waitFor returns the height of a transaction, once it stands in a block.
func waitFor(url string) int64 {
	for range 60 {
		time.Sleep(time.Second)
		response, err := http.Get(url)
		check(err)
		var found struct {
			Answer struct {
				Code   int    `json:"code"`
				Height int64  `json:"height,string"`
				RawLog string `json:"raw_log"`
			} `json:"tx_response"`
		}
		err = json.NewDecoder(response.Body).Decode(&found)
		check(response.Body.Close())
		if err == nil && found.Answer.Height > 0 {
			if found.Answer.Code != 0 {
				log.Fatal(found.Answer.RawLog)
			}
			return found.Answer.Height
		}
	}
	log.Fatal("the transaction isn't in a block after a minute")
	return 0
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
