// A page that posts a job with the generated types, for tests/clients/test_cosmjs.py; prints JSON.
import { Secp256k1Wallet } from "@cosmjs/amino";
import { fromHex } from "@cosmjs/encoding";
import { DirectSecp256k1Wallet, Registry } from "@cosmjs/proto-signing";
import {
  AminoTypes,
  GasPrice,
  SigningStargateClient,
  createDefaultAminoConverters,
  defaultRegistryTypes,
} from "@cosmjs/stargate";
import { pollenAminoConverters, pollenTypes } from "../../js/pollen.js";

const { rpc, secrets, job } = JSON.parse(process.env.POLLEN);
const typeUrl = "/pollen.jobs.v1.MsgPostJob";
const registry = new Registry([...defaultRegistryTypes, ...pollenTypes]);
const aminoTypes = new AminoTypes({ ...createDefaultAminoConverters(), ...pollenAminoConverters });
const options = { registry, aminoTypes, gasPrice: GasPrice.fromString("0.01uflt"), broadcastPollIntervalMs: 100 };

const secret = fromHex(secrets.kim);
const signers = {
  direct: await DirectSecp256k1Wallet.fromKey(secret, "pollen"),
  amino: await Secp256k1Wallet.fromKey(secret, "pollen"),
};
const result = {};
for (const [mode, signer] of Object.entries(signers)) {
  const [{ address }] = await signer.getAccounts();
  const value = { ...aminoTypes.fromAmino({ type: pollenAminoConverters[typeUrl].aminoType, value: job }).value, requester: address };
  const client = await SigningStargateClient.connectWithSigner(rpc, signer, options);
  const sent = await client.signAndBroadcast(address, [{ typeUrl, value }], 1.3, "from a page");
  const [answer] = sent.msgResponses;
  const again = registry.decode({ typeUrl, value: registry.encode({ typeUrl, value }) });
  result[mode] = {
    code: sent.code,
    log: sent.rawLog ?? "",
    jobId: sent.code ? "" : String(registry.decode(answer).jobId),
    decoded: aminoTypes.toAmino({ typeUrl, value: again }).value,
  };
  client.disconnect();
}
console.log(JSON.stringify(result));
