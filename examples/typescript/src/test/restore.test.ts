/** What a session has, across losses: channels, attributes, the token, requests; and what an app does in callbacks. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { JoinErr, LeaveErr, RenewTokenErr, RequestErr, RETRY_MS } from "../index.js";
import { World } from "./world.js";

async function away(world: World, meanwhile: () => unknown, resumes: boolean): Promise<void> {
  world.server.refuses = true;
  world.server.last.drop();
  await world.clock.pass(4000);
  meanwhile();
  await world.clock.pass(1000);
  world.server.refuses = false;
  world.server.resumes = resumes;
  await world.clock.pass(RETRY_MS + 10);
}

async function onlineIn(...channels: string[]): Promise<World> {
  const world = await World.online();
  for (const channel of channels) assert.equal(world.client.join(channel), JoinErr.OK);
  await world.clock.pass(10);
  assert.deepEqual(world.seen, channels.map((channel) => `onJoinSuccess ${channel}`));
  world.seen.length = 0;
  return world;
}

test("after resumed true neither channels nor attributes are sent again", async () => {
  const world = await onlineIn("red");
  await Promise.all([world.client.setAttributes({ mood: "calm" }), world.clock.pass(10)]);
  await away(world, () => undefined, true);
  assert.deepEqual(world.server.last.types(), ["login"]);
  assert.equal(world.server.last.last("login")?.resume, "session 1");
});

test("after resumed false all channels and the attributes are, and no onJoinSuccess comes of it", async () => {
  const world = await onlineIn("red", "green");
  await Promise.all([world.client.setAttributes({ mood: "calm" }), world.clock.pass(10)]);
  await away(world, () => void world.client.addAttributes({ seat: "12" }), false);
  assert.deepEqual(world.server.last.types(), ["login", "join", "join", "set_attributes"]);
  assert.deepEqual(world.server.last.last("set_attributes")?.attributes, { mood: "calm", seat: "12" });
  assert.deepEqual(world.seen, ["RECONNECTING / INTERRUPTED", "CONNECTED / LOGIN_SUCCESS"]);
});

test("a restoration that is cut short is finished on the next link", async () => {
  const world = await onlineIn("red");
  world.server.answer = (peer, frame) => {
    if (frame.type === "join") world.clock.after(0, () => peer.drop()); // and nobody knows whether it was carried out
    else Object.getPrototypeOf(world.server).answer.call(world.server, peer, frame);
  };
  await away(world, () => undefined, false);
  assert.equal(world.server.last.isOpen, false);
  Reflect.deleteProperty(world.server, "answer");
  world.server.resumes = true;
  await world.clock.pass(RETRY_MS + 10);
  assert.deepEqual(world.server.last.types(), ["login", "join"]);
});

test("leave() while away takes a channel out at once, and the server is told on the return", async () => {
  const world = await onlineIn("red", "green");
  await away(world, () => assert.equal(world.client.leave("green"), LeaveErr.OK), true);
  assert.deepEqual(world.seen, ["RECONNECTING / INTERRUPTED", "onLeave green 0", "CONNECTED / LOGIN_SUCCESS"]);
  assert.equal(world.server.last.last("leave")?.channel, "green");
  assert.equal(world.client.leave("green"), LeaveErr.NOT_IN_CHANNEL);
});

test("a join without an answer fails after 5 s, and one that was carried out all the same is undone", async () => {
  const world = await World.online();
  let late: (() => void) | undefined;
  const { server } = world;
  server.answer = (peer, frame) => {
    if (frame.type === "join") late = () => peer.say({ type: "done", id: frame.id });
    else Object.getPrototypeOf(server).answer.call(server, peer, frame);
  };
  world.client.join("red");
  await world.clock.pass(4999);
  assert.deepEqual(world.seen, []);
  await world.clock.pass(1);
  assert.deepEqual(world.seen, [`onJoinFailure red ${JoinErr.JOIN_CHANNEL_TIMEOUT}`]);
  late?.();
  await world.clock.pass(10);
  assert.deepEqual(server.last.types(), ["login", "join", "leave"]);
  assert.equal(world.seen.length, 1);
});

test("a message is not repeated, and a question is", async () => {
  const world = await World.online();
  world.server.isSilent = true;
  const sent = world.client.sendToPeer("bob", "hello");
  const asked = world.client.getMembers("red");
  world.server.last.drop();
  world.server.isSilent = false;
  await world.clock.pass(RETRY_MS);
  assert.equal(await sent, RequestErr.FAILURE);
  assert.deepEqual(await asked, { code: RequestErr.OK, members: [] });
  assert.equal(world.server.count("send_to_peer"), 1);
  assert.equal(world.server.count("get_members"), 2);
});

test("what is asked of a session that ends is answered", async () => {
  const world = await World.online();
  world.server.isSilent = true;
  const asked = world.client.queryOnline(["bob"]);
  world.client.logout();
  assert.deepEqual(await asked, { code: RequestErr.USER_NOT_LOGGED_IN, online: {} });
});

test("a token is told to have expired once, from the timer or from the refusal", async () => {
  const world = new World();
  world.server.login = () => ({
    type: "logged_in",
    session: "one",
    resumed: false,
    heartbeat_s: 0.5,
    token_expires_in_s: 3,
  });
  world.client.login("a token", "alice");
  await world.clock.pass(2999);
  world.seen.length = 0;
  world.server.login = () => ({ type: "refused", code: "token_expired" });
  world.server.last.drop();
  await world.clock.pass(20_000);
  assert.deepEqual(world.seen, ["onTokenExpired", "RECONNECTING / INTERRUPTED"]);
});

test("a token that is renewed while away is tried at once, and the old one again where it is refused", async () => {
  const world = await World.online();
  world.server.login = (frame) => ({ type: "refused", code: frame.token === "new" ? "invalid_token" : "rejected" });
  world.server.last.drop();
  await world.clock.pass(10_000);
  const logins = world.server.count("login");
  assert.equal(world.client.renewToken("new"), RenewTokenErr.OK);
  await world.clock.pass(0);
  assert.equal(world.server.count("login"), logins + 1);
  assert.equal(world.server.last.last("login")?.token, "new");
  await world.clock.pass(RETRY_MS);
  assert.equal(world.seen.at(-1), `onRenewTokenResult new ${RenewTokenErr.INVALID_TOKEN}`);
  assert.equal(world.server.last.last("login")?.token, "a token");
});

test("a renewal whose answer is lost is settled by the next login", async () => {
  const world = await World.online();
  world.server.isSilent = true;
  world.client.renewToken("new");
  world.server.last.drop();
  world.server.isSilent = false;
  await world.clock.pass(RETRY_MS);
  assert.equal(world.server.last.last("login")?.token, "new");
  assert.deepEqual(world.seen, ["onRenewTokenResult new 0"]);
});

test("calls from inside callbacks act at once, and are told after what was to be told before them", async () => {
  const world = await World.online();
  world.inside.set("DISCONNECTED / LOGOUT", () => world.client.login("a token", "alice"));
  world.client.logout();
  await world.clock.pass(10);
  assert.deepEqual(world.seen, [
    "DISCONNECTED / LOGOUT",
    "onLogout 0",
    "CONNECTING / LOGIN",
    "onLoginSuccess",
    "CONNECTED / LOGIN_SUCCESS",
  ]);
});

test("an exception in a callback, or a promise that is rejected there, is reported and breaks nothing", async () => {
  const world = new World();
  world.inside.set("CONNECTING / LOGIN", () => {
    throw new Error("thrown");
  });
  world.inside.set("onLoginSuccess", () => Promise.reject(new Error("rejected")));
  world.client.login("a token", "alice");
  await world.clock.pass(10);
  assert.deepEqual(world.seen, ["CONNECTING / LOGIN", "onLoginSuccess", "CONNECTED / LOGIN_SUCCESS"]);
  assert.deepEqual(world.errors.map((error) => (error as Error).message), ["thrown", "rejected"]);
});

test("dispose() leaves nothing, and is no logout", async () => {
  const world = await onlineIn("red");
  const link = world.server.last;
  world.client.logout();
  world.client.dispose(); // what still waits is not told either
  await world.clock.pass(0);
  assert.deepEqual(world.seen, []);

  const other = await World.online();
  other.client.dispose();
  await other.clock.pass(0);
  assert.deepEqual(other.server.last.types(), ["login"]);
  assert.equal(other.clock.timersSet, 0);
  assert.equal(link.isOpen || other.server.last.isOpen, false);
});
