/** The client under linkproof's contract (docs/adapter-contract.md): requests on stdin, answers and events on stdout. */

import { createInterface } from "node:readline";
import { type Callbacks, HEARTBEAT_MS, RETRY_MS, RtmClient } from "./index.js";

type Json = Record<string, unknown>;

const CONTRACT = 1;
const HELLO = {
  contract: CONTRACT,
  name: "linkproof-example-typescript",
  version: "0.1.0",
  language: "typescript",
  heartbeat_s: (HEARTBEAT_MS + 100) / 1000, // Node's timers are late at times: what is declared has to be true
  retry_s: (RETRY_MS + 100) / 1000,
  capabilities: ["channels", "attributes", "presence", "messages", "token-renewal", "reactions"],
};

/** The names of the arguments of each callback, in their order. */
const ARGUMENTS: Record<keyof Callbacks, readonly string[]> = {
  onConnectionStateChanged: ["state", "reason"],
  onLoginSuccess: [],
  onLoginFailure: ["code"],
  onLogout: ["code"],
  onTokenExpired: [],
  onRenewTokenResult: ["token", "code"],
  onMessageReceivedFromPeer: ["peer", "text"],
  onJoinSuccess: ["channel"],
  onJoinFailure: ["channel", "code"],
  onLeave: ["channel", "code"],
  onMemberJoined: ["channel", "member"],
  onMemberLeft: ["channel", "member"],
  onMessageReceived: ["channel", "member", "text"],
};

/** What a call comes to; undefined for one that is not known. */
type Call = (client: RtmClient, args: any) => Json | Promise<Json>;

const CALLS: Record<string, Call> = {
  login: (client, { token, uid }) => ({ code: client.login(token, uid) }),
  logout: (client) => ({ code: client.logout() }),
  renewToken: (client, { token }) => ({ code: client.renewToken(token) }),
  join: (client, { channel }) => ({ code: client.join(channel) }),
  leave: (client, { channel }) => ({ code: client.leave(channel) }),
  sendToPeer: async (client, { peer, text }) => ({ code: await client.sendToPeer(peer, text) }),
  sendToChannel: async (client, { channel, text }) => ({ code: await client.sendToChannel(channel, text) }),
  getMembers: (client, { channel }) => client.getMembers(channel),
  setAttributes: async (client, { attributes }) => ({ code: await client.setAttributes(attributes) }),
  addAttributes: async (client, { attributes }) => ({ code: await client.addAttributes(attributes) }),
  deleteAttributes: async (client, { keys }) => ({ code: await client.deleteAttributes(keys) }),
  getAttributes: (client, { uid }) => client.getAttributes(uid),
  queryOnline: (client, { uids }) => client.queryOnline(uids),
};

const now = (): bigint => process.hrtime.bigint();

/** Nanoseconds are written by hand: as a JavaScript number they would lose their last digits one day. */
function say(message: Json, atNs: bigint): void {
  process.stdout.write(`${JSON.stringify(message).slice(0, -1)},"at_ns":${atNs}}\n`);
}

let client: RtmClient | undefined;
const reactions = new Map<string, { call: string; args: Json }[]>();

const onCallback = (name: keyof Callbacks, values: unknown[]): void => {
  const atNs = now();
  const args = Object.fromEntries(ARGUMENTS[name].map((argument, i) => [argument, values[i]]));
  say({ event: name, args }, atNs);
  const reaction = reactions.get(name)?.shift();
  if (reaction === undefined || client === undefined) return;
  if (reaction.call === "") throw new Error(`raised in ${name}, as it was asked for`);
  void CALLS[reaction.call]?.(client, reaction.args); // what it comes to follows as events; no promise is rejected
};

const callbacks = Object.fromEntries(
  Object.keys(ARGUMENTS).map((name) => [name, (...values: unknown[]) => onCallback(name as keyof Callbacks, values)]),
) as unknown as Callbacks;

async function answer(id: number, call: string, args: any): Promise<void> {
  const reply = (outcome: Json): void => say({ id, ...outcome }, now());
  const known = Object.hasOwn(CALLS, call) ? CALLS[call] : undefined;
  if (call === "hello") return reply({ result: HELLO });
  if (call === "clock") {
    const atNs = now();
    process.stdout.write(`{"id":${id},"at_ns":${atNs},"result":{"now_ns":${atNs}}}\n`);
  } else if (call === "create") {
    if (client !== undefined) return reply({ error: "one process carries one client, and it has one" });
    client = new RtmClient({ url: args.url, appId: args.app_id, callbacks });
    reply({ result: {} });
  } else if (call === "react") {
    reactions.set(args.callback, [...(reactions.get(args.callback) ?? []), { call: args.call, args: args.args }]);
    reply({ result: { code: 0 } });
  } else if (known === undefined) {
    reply({ error: "unsupported" });
  } else if (client === undefined) {
    reply({ error: `${call} came before create` });
  } else {
    const outcome = known(client, args);
    reply({ result: outcome instanceof Promise ? await outcome : outcome });
  }
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { id, call, args } = JSON.parse(line);
    answer(id, call, args).catch((error: unknown) => say({ id, error: String(error) }, now()));
  })
  .on("close", () => client?.dispose()); // then nothing is left that keeps this process alive
