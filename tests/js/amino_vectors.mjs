// Prints transactions as CosmJS signs them, for tests/vectors/tx/cosmjs.json: see tests/vectors/README.md.
import { Secp256k1Wallet, createMultisigThresholdPubkey, pubkeyToAddress } from "@cosmjs/amino";
import { Ed25519, Ed25519Keypair, sha256 } from "@cosmjs/crypto";
import { toBase64, toHex, toUtf8 } from "@cosmjs/encoding";
import { DirectSecp256k1Wallet } from "@cosmjs/proto-signing";
import { SigningStargateClient, makeMultisignedTxBytes } from "@cosmjs/stargate";
import { PubKey as Ed25519PubKey } from "cosmjs-types/cosmos/crypto/ed25519/keys";
import { AuthInfo, SignDoc, TxRaw } from "cosmjs-types/cosmos/tx/v1beta1/tx";

const CHAIN = "pollen-test";
const fee = { amount: [{ denom: "uflt", amount: "10000" }], gas: "1000000" };
const signerData = (accountNumber, sequence) => ({ accountNumber, sequence, chainId: CHAIN });

async function person(name) {
  const secret = sha256(toUtf8(name));
  const amino = await Secp256k1Wallet.fromKey(secret, "pollen");
  const direct = await DirectSecp256k1Wallet.fromKey(secret, "pollen");
  const [account] = await amino.getAccounts();
  return {
    address: account.address,
    pubkey: { type: "tendermint/PubKeySecp256k1", value: toBase64(account.pubkey) },
    amino: await SigningStargateClient.offline(amino),
    direct: await SigningStargateClient.offline(direct),
  };
}

const send = (from, to, amount = [{ denom: "uflt", amount: "5" }]) => ({
  typeUrl: "/cosmos.bank.v1beta1.MsgSend",
  value: { fromAddress: from, toAddress: to, amount },
});

const [ada, ben, eva] = [await person("ada"), await person("ben"), await person("eva")];
const cases = {};
const keep = (name, address, data, raw) => {
  const bytes = raw instanceof Uint8Array ? raw : TxRaw.encode(raw).finish();
  cases[name] = {
    address, chain_id: CHAIN, account_number: Number(data.accountNumber), sequence: data.sequence, tx: toHex(bytes),
  };
};

async function single(name, client, messages, data = signerData(7n, 3), memo = "", timeout = undefined, paid = fee) {
  keep(name, ada.address, data, await client.sign(ada.address, messages, paid, memo, data, timeout));
}

const plain = [send(ada.address, ben.address)];
const odd = "a <b> & \"c\" \\ / \n\t\u0001\u007f\b\f é 蜂 \u{1f41d}";
await single("direct", ada.direct, plain);
await single("amino", ada.amino, plain);
await single("amino, account and sequence zero", ada.amino, plain, signerData(0n, 0));
await single("amino, a memo of odd letters", ada.amino, plain, signerData(7n, 3), odd);
await single("amino, a timeout", ada.amino, plain, signerData(7n, 3), "", 123n);
await single("amino, no fee", ada.amino, plain, signerData(7n, 3), "", undefined, { amount: [], gas: "0" });
await single("amino, a payer", ada.amino, plain, signerData(7n, 3), "", undefined, { ...fee, payer: ada.address });
await single("amino, two messages", ada.amino, [...plain, send(ada.address, eva.address)]);
await single("amino, no coins", ada.amino, [send(ada.address, ben.address, [])]);

// A multisig of three keys, of whom two must sign: the first and the third do.
const group = createMultisigThresholdPubkey([ada.pubkey, ben.pubkey, eva.pubkey], 2);
const groupAddress = pubkeyToAddress(group, "pollen");
const groupData = signerData(9n, 4);
async function multisig(name, people, key = group) {
  const address = pubkeyToAddress(key, "pollen");
  const parts = new Map();
  let body;
  for (const each of people) {
    const signed = await each.amino.sign(each.address, [send(address, ben.address)], fee, "", groupData);
    parts.set(each.address, signed.signatures[0]);
    body = signed.bodyBytes;
  }
  keep(name, address, groupData, makeMultisignedTxBytes(key, groupData.sequence, fee, body, parts));
}
await multisig("a multisig", [ada, eva]);
await multisig("a multisig of whom all sign", [ada, ben, eva]);
const many = Array.from({ length: 9 }, () => ada.pubkey).concat([ben.pubkey, eva.pubkey]);
await multisig("a multisig of more than eight", [ben, eva], createMultisigThresholdPubkey(many, 2, true));

// An Ed25519 key, which CosmJS' wallets don't hold; the parts are CosmJS' all the same.
const pair = await Ed25519.makeKeypair(sha256(toUtf8("ada")));
const edKey = { type: "tendermint/PubKeyEd25519", value: toBase64(pair.pubkey) };
const edAddress = pubkeyToAddress(edKey, "pollen");
const like = await ada.direct.sign(ada.address, [send(edAddress, ben.address)], fee, "", signerData(2n, 1));
const authInfo = AuthInfo.decode(like.authInfoBytes);
authInfo.signerInfos[0].publicKey = {
  typeUrl: "/cosmos.crypto.ed25519.PubKey", value: Ed25519PubKey.encode({ key: pair.pubkey }).finish(),
};
const parts = { bodyBytes: like.bodyBytes, authInfoBytes: AuthInfo.encode(authInfo).finish() };
const document = SignDoc.encode(SignDoc.fromPartial({ ...parts, chainId: CHAIN, accountNumber: 2n })).finish();
const signature = await Ed25519.createSignature(document, new Ed25519Keypair(sha256(toUtf8("ada")), pair.pubkey));
keep("an Ed25519 key", edAddress, signerData(2n, 1), TxRaw.fromPartial({ ...parts, signatures: [signature] }));

console.log(JSON.stringify(cases, null, 1));
