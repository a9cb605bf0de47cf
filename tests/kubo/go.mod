// What scripts/setup.py kubo builds the IPFS node of the tests from. Kubo's own swiss stops at
// Go 1.25, this one at 1.26.
module pollen/tests/kubo

go 1.26

require (
	github.com/cockroachdb/swiss v0.0.0-20251224182025-b0f6560f979b
	github.com/ipfs/kubo v0.38.1
)

tool github.com/ipfs/kubo/cmd/ipfs
