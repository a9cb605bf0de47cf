// Says of each proof in a JSON file whether @confio/ics23 takes it: [true, false, …] on stdout.
// A case: app_hash, module, key, value (absent: null) and the data of both stages, in base64.
import { readFileSync } from "node:fs";
import confio from "@confio/ics23";

const { ics23, iavlSpec, tendermintSpec, verifyMembership, verifyNonMembership } = confio;
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));

function accepts(each) {
  try {
    const module = ics23.CommitmentProof.decode(bytes(each.module_proof));
    const row = ics23.CommitmentProof.decode(bytes(each.row_proof));
    const root = module.exist.value;
    if (!verifyMembership(module, tendermintSpec, bytes(each.app_hash), bytes(each.module), root)) {
      return false;
    }
    return each.value === null
      ? verifyNonMembership(row, iavlSpec, root, bytes(each.key))
      : verifyMembership(row, iavlSpec, root, bytes(each.key), bytes(each.value));
  } catch {
    return false; // what doesn't decode
  }
}

const cases = JSON.parse(readFileSync(process.argv[2]));
console.log(JSON.stringify(cases.map(accepts)));
