// What SigningStargateClient does on a Pollen chain, for tests/clients/test_cosmjs.py; prints JSON.
import { Secp256k1Wallet } from "@cosmjs/amino";
import { fromHex } from "@cosmjs/encoding";
import { DirectSecp256k1Wallet } from "@cosmjs/proto-signing";
import {
  GasPrice,
  QueryClient,
  SigningStargateClient,
  StargateClient,
  setupDistributionExtension,
  setupMintExtension,
  setupSlashingExtension,
  setupStakingExtension,
  setupTxExtension,
} from "@cosmjs/stargate";
import { Comet38Client, Tendermint37Client } from "@cosmjs/tendermint-rpc";

const { rpc, secrets } = JSON.parse(process.env.POLLEN);
const options = { gasPrice: GasPrice.fromString("0.01uflt"), broadcastPollIntervalMs: 100 };
const coin = (amount) => ({ denom: "uflt", amount: String(amount) });
const plain = (value) =>
  JSON.parse(JSON.stringify(value, (_, v) => (typeof v === "bigint" ? String(v) : v)));

async function wallets(name) {
  const secret = fromHex(secrets[name]);
  return {
    direct: await DirectSecp256k1Wallet.fromKey(secret, "pollen"),
    amino: await Secp256k1Wallet.fromKey(secret, "pollen"),
  };
}

async function stake(client, address) {
  const query = QueryClient.withExtensions(await Comet38Client.connect(rpc), setupStakingExtension);
  const { validators } = await query.staking.validators("BOND_STATUS_BONDED");
  const [{ operatorAddress: validator }] = validators;
  const delegated = await client.delegateTokens(address, validator, coin(3_000_000), "auto");
  const held = await client.getDelegation(address, validator);
  const undelegated = await client.undelegateTokens(address, validator, coin(1_000_000), "auto");
  const left = await client.getBalanceStaked(address);
  return { codes: [delegated.code, undelegated.code], logs: [delegated.rawLog, undelegated.rawLog], held, left };
}

async function play(client, address, to) {
  const found = {
    chainId: await client.getChainId(),
    height: await client.getHeight(),
    account: plain(await client.getAccount(address)),
    sequence: plain(await client.getSequence(address)),
    balance: await client.getBalance(address, "uflt"),
    balances: await client.getAllBalances(address),
    block: plain((await client.getBlock()).header),
  };
  const message = {
    typeUrl: "/cosmos.bank.v1beta1.MsgSend",
    value: { fromAddress: address, toAddress: to, amount: [coin(7)] },
  };
  found.simulated = await client.simulate(address, [message], "a <memo> & more");
  const sent = await client.sendTokens(address, to, [coin(7)], "auto", "a <memo> & more");
  found.sent = plain({ ...sent, events: sent.events.map((event) => event.type), msgResponses: sent.msgResponses.length });
  const tx = await client.getTx(sent.transactionHash);
  found.tx = plain({ height: tx.height, code: tx.code, gasUsed: tx.gasUsed, gasWanted: tx.gasWanted });
  const hits = await client.searchTx([
    { key: "message.sender", value: address },
    { key: "message.action", value: "/cosmos.bank.v1beta1.MsgSend" },
  ]);
  found.searched = hits.map((hit) => hit.hash);
  found.searchedAsText = (await client.searchTx(`transfer.recipient='${to}'`)).map((hit) => hit.hash);
  return found;
}

async function ask(address, hash) {
  const query = QueryClient.withExtensions(
    await Comet38Client.connect(rpc),
    setupDistributionExtension,
    setupMintExtension,
    setupSlashingExtension,
    setupStakingExtension,
    setupTxExtension,
  );
  const { txResponse } = await query.tx.getTx(hash);
  const { validators } = await query.staking.validators("BOND_STATUS_BONDED");
  const { info } = await query.slashing.signingInfos();
  const { rewards } = await query.distribution.delegationTotalRewards(address);
  const params = await query.mint.params();
  return plain({
    tx: { hash: txResponse.txhash, height: txResponse.height, code: txResponse.code },
    noTx: await query.tx.getTx("AB".repeat(32)).catch((error) => String(error)),
    validators: validators.length,
    infos: info.length,
    rewarded: rewards.map((each) => each.validatorAddress === validators[0].operatorAddress),
    inflation: String(await query.mint.inflation()),
    provisions: String(await query.mint.annualProvisions()),
    goal: String(params.goalBonded),
    perYear: params.blocksPerYear,
  });
}

const result = {};
const people = { direct: "jan", amino: "job" };
const [{ address: ben }] = await (await wallets("ben")).direct.getAccounts();
for (const [mode, name] of Object.entries(people)) {
  const signer = (await wallets(name))[mode];
  const [{ address }] = await signer.getAccounts();
  const clients = {
    sniffed: await SigningStargateClient.connectWithSigner(rpc, signer, options),
    comet38: await SigningStargateClient.createWithSigner(await Comet38Client.connect(rpc), signer, options),
    tendermint37: await SigningStargateClient.createWithSigner(await Tendermint37Client.connect(rpc), signer, options),
  };
  for (const [kind, client] of Object.entries(clients)) {
    result[`${mode} ${kind}`] = { address, ...(await play(client, address, ben)) };
    if (kind === "tendermint37") result[`${mode} stake`] = await stake(client, address);
    client.disconnect();
  }
}

const [, { address: asked }] = await Promise.all(
  Object.values(people).map(async (name) => (await (await wallets(name)).direct.getAccounts())[0]),
);
result.asked = await ask(asked, result["direct sniffed"].sent.transactionHash);

// What isn't there.
const reader = await StargateClient.connect(rpc);
result.nobody = await reader.getAccount("pollen1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqy6rp4m").catch((error) => String(error));
result.noTx = await reader.getTx("AB".repeat(32));
const poor = (await wallets("jan")).direct;
const [{ address: jan }] = await poor.getAccounts();
const client = await SigningStargateClient.connectWithSigner(rpc, poor, options);
result.tooMuch = await client
  .sendTokens(jan, ben, [coin(10n ** 15n)], "auto")
  .catch((error) => String(error));
result.outOfGas = await client
  .sendTokens(jan, ben, [coin(1)], { amount: [coin(1000)], gas: "20000" })
  .then((done) => [done.code, done.rawLog], (error) => String(error));
console.log(JSON.stringify(result));
