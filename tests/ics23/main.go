// Say of each proof in a JSON file whether Cosmos' own verifier takes it: [true, false, …] on
// stdout. A case: app_hash, module, key, value (absent: null) and the data of both stages, in base64.
package main

import (
	"encoding/json"
	"log"
	"os"

	ics23 "github.com/cosmos/ics23/go"
)

type proofCase struct {
	AppHash     []byte `json:"app_hash"`
	Module      []byte `json:"module"`
	Key         []byte `json:"key"`
	Value       []byte `json:"value"`
	RowProof    []byte `json:"row_proof"`
	ModuleProof []byte `json:"module_proof"`
}

// accepts goes from the row to the application hash, as IBC's light clients do.
func (c proofCase) accepts() bool {
	var row, module ics23.CommitmentProof
	if row.Unmarshal(c.RowProof) != nil || module.Unmarshal(c.ModuleProof) != nil {
		return false
	}
	root, err := row.Calculate()
	if err != nil || !ics23.VerifyMembership(ics23.TendermintSpec, c.AppHash, &module, c.Module, root) {
		return false
	}
	if c.Value == nil {
		return ics23.VerifyNonMembership(ics23.IavlSpec, root, &row, c.Key)
	}
	return ics23.VerifyMembership(ics23.IavlSpec, root, &row, c.Key, c.Value)
}

func main() {
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var cases []proofCase
	if err := json.Unmarshal(data, &cases); err != nil {
		log.Fatal(err)
	}
	verdicts := make([]bool, len(cases))
	for i, each := range cases {
		verdicts[i] = each.accepts()
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		log.Fatal(err)
	}
}
