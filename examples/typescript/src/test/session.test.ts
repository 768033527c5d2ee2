/** The states and their times: each switch, its reason, and what must not switch anything. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionState, LoginErr, LogoutErr, RETRY_MS } from "../index.js";
import { World } from "./world.js";

const LOGGED_IN = ["CONNECTING / LOGIN", "onLoginSuccess", "CONNECTED / LOGIN_SUCCESS"];

test("a login is told when its session is confirmed, the result right before the switch", async () => {
  const world = new World();
  assert.equal(world.client.login("a token", "alice"), LoginErr.OK);
  await world.clock.pass(10);
  assert.deepEqual(world.seen, LOGGED_IN);
  assert.deepEqual(world.server.last.received.slice(0, 2).map(({ type }) => type), ["login", "ping"]);
});

test("a new session is not told before the pong, and a resumed one is", async () => {
  const world = await World.online();
  world.server.isSilent = true;
  world.server.last.drop();
  await world.clock.pass(4000);
  const resumed = world.server.open.find((peer) => peer.types().includes("login"));
  resumed?.say({ type: "logged_in", session: "session 1", resumed: true, heartbeat_s: 0.5 });
  await world.clock.pass(0);
  assert.deepEqual(world.seen, ["RECONNECTING / INTERRUPTED", "CONNECTED / LOGIN_SUCCESS"]);

  const other = new World();
  other.server.isSilent = true;
  other.client.login("a token", "alice");
  await other.clock.pass(10);
  other.server.last.say({ type: "logged_in", session: "session 1", resumed: false, heartbeat_s: 0.5 });
  other.server.last.say({ type: "peer_message", sender: "bob", text: "early" });
  await other.clock.pass(10);
  assert.deepEqual(other.seen, ["CONNECTING / LOGIN"]);
  other.server.last.say({ type: "pong", n: 1 });
  await other.clock.pass(0);
  assert.deepEqual(other.seen, [...LOGGED_IN, "onMessageReceivedFromPeer bob early"]);
});

test("a login that hangs times out after 6 s to the millisecond, and leaves nothing behind", async () => {
  const world = new World();
  world.server.hangs = true;
  world.client.login("a token", "alice");
  await world.clock.pass(5999);
  assert.deepEqual(world.seen, ["CONNECTING / LOGIN"]);
  await world.clock.pass(1);
  assert.deepEqual(world.seen.slice(1), [`onLoginFailure ${LoginErr.TIMEOUT}`, "DISCONNECTED / LOGIN_TIMEOUT"]);
  assert.equal(world.server.open.length, 0);
  assert.equal(world.clock.timersSet, 0);
});

test("a login that is given up between its answer and its confirmation is logged out", async () => {
  const world = new World();
  world.server.isSilent = true;
  world.client.login("a token", "alice");
  await world.clock.pass(5500);
  const busy = world.server.open.find((peer) => peer.types().includes("login"));
  busy?.say({ type: "logged_in", session: "session 1", resumed: false, heartbeat_s: 0.5 });
  await world.clock.pass(500);
  assert.deepEqual(busy?.types(), ["login", "logout"]);
  assert.equal(busy?.end, "closed");
});

test("a loss that can be seen interrupts after 4 s to the millisecond", async () => {
  const world = await World.online();
  world.server.refuses = true;
  world.server.last.drop();
  await world.clock.pass(3999);
  assert.deepEqual(world.seen, []);
  await world.clock.pass(1);
  assert.deepEqual(world.seen, ["RECONNECTING / INTERRUPTED"]);
});

test("a silent loss interrupts 4 s after the oldest unanswered ping was sent", async () => {
  const world = await World.online();
  await world.clock.pass(1000);
  world.server.isSilent = true;
  const pings = world.server.count("ping");
  while (world.server.count("ping") === pings) await world.clock.pass(1);
  await world.clock.pass(3999);
  assert.deepEqual(world.seen, []);
  await world.clock.pass(1);
  assert.deepEqual(world.seen, ["RECONNECTING / INTERRUPTED"]);
});

test("a loss that is recovered from within 4 s switches nothing, and the next one has 4 s of its own", async () => {
  const world = await World.online();
  for (let flap = 0; flap < 5; flap += 1) {
    world.server.refuses = true;
    world.server.last.drop();
    await world.clock.pass(2900);
    world.server.refuses = false;
    await world.clock.pass(RETRY_MS);
    assert.equal(world.server.open.length, 1);
  }
  assert.deepEqual(world.seen, []);
});

test("a ping that is answered late is no loss, and ends the search for another connection", async () => {
  const world = await World.online();
  const [link] = world.server.peers;
  world.server.isSilent = true;
  await world.clock.pass(3000);
  assert.ok(world.server.peers.length > 1, "it is to look for another connection meanwhile");
  world.server.isSilent = false;
  link?.say({ type: "pong", n: link.last("ping")?.n ?? 0 });
  await world.clock.pass(1000); // a login under way is given until its answer is overdue
  assert.deepEqual(world.server.open, [link]);
  await world.clock.pass(4000);
  assert.deepEqual(world.seen, []);
});

test("a takeover aborts, while connected and on the return, and nothing is tried after that", async () => {
  const connected = await World.online();
  connected.server.last.say({ type: "ended", reason: "remote_login" });
  await connected.clock.pass(20_000);
  assert.deepEqual(connected.seen, ["ABORTED / REMOTE_LOGIN"]);

  const away = await World.online();
  away.server.refuses = true;
  away.server.last.drop();
  await away.clock.pass(5000);
  away.server.refuses = false;
  away.server.login = () => ({ type: "refused", code: "superseded" });
  await away.clock.pass(20_000);
  assert.deepEqual(away.seen, ["RECONNECTING / INTERRUPTED", "ABORTED / REMOTE_LOGIN"]);

  for (const world of [connected, away]) {
    assert.equal(world.server.open.length, 0);
    assert.equal(world.clock.timersSet, 0);
    assert.equal(world.client.login("a token", "alice"), LoginErr.ALREADY_LOGGED_IN);
    assert.equal(world.client.logout(), LogoutErr.OK);
    assert.equal(world.client.state, ConnectionState.DISCONNECTED);
  }
});

test("a refusal ends a login at once, and not the return of a session", async () => {
  const world = new World();
  world.server.login = () => ({ type: "refused", code: "invalid_token" });
  world.client.login("a token", "alice");
  await world.clock.pass(10);
  assert.deepEqual(world.seen.slice(1), [`onLoginFailure ${LoginErr.INVALID_TOKEN}`, "DISCONNECTED / LOGIN_FAILURE"]);

  const away = await World.online();
  away.server.login = () => ({ type: "refused", code: "rejected" });
  away.server.last.drop();
  await away.clock.pass(60_000);
  assert.deepEqual(away.seen, ["RECONNECTING / INTERRUPTED"]);
  assert.ok(away.server.count("login") > 60, "it is to keep trying");
  assert.ok(away.server.count("login") < 120, "it is not to storm");
});

test("logout is immediate in each state it is allowed in, and leaves nothing behind", async () => {
  const connected = await World.online();
  const link = connected.server.last;
  assert.equal(connected.client.logout(), LogoutErr.OK);
  assert.deepEqual(link.types(), ["login", "logout"]);

  const away = await World.online();
  away.server.hangs = true;
  away.server.last.drop();
  await away.clock.pass(5000);
  away.seen.length = 0;
  assert.equal(away.client.logout(), LogoutErr.OK);

  for (const world of [connected, away]) {
    await world.clock.pass(0);
    assert.deepEqual(world.seen, ["DISCONNECTED / LOGOUT", "onLogout 0"]);
    assert.equal(world.server.open.length, 0);
    await world.clock.pass(0);
    assert.equal(world.clock.timersSet, 0);
    assert.equal(world.client.logout(), LogoutErr.USER_NOT_LOGGED_IN);
  }
});

test("logout while CONNECTING is refused, and the login goes on", async () => {
  const world = new World();
  world.client.login("a token", "alice");
  assert.equal(world.client.logout(), LogoutErr.USER_NOT_LOGGED_IN);
  await world.clock.pass(10);
  assert.deepEqual(world.seen, LOGGED_IN);
});

test("the third login() of a second is too often", async () => {
  const world = new World();
  const codes = [1, 2, 3].map(() => world.client.login("a token", "alice"));
  assert.deepEqual(codes, [LoginErr.OK, LoginErr.ALREADY_LOGGED_IN, LoginErr.TOO_OFTEN]);
  await world.clock.pass(1000);
  assert.equal(world.client.login("a token", "alice"), LoginErr.ALREADY_LOGGED_IN);
});

test("what no server says ends its connection, which is an interruption like any other", async () => {
  const nonsense = ["", "null", "[]", "{}", '{"type":"pong"}', '{"type":"toString"}', '{"type":"ended","reason":1}', "{"];
  const misplaced = ['{"type":"pong","n":99}', '{"type":"refused","code":"banned"}'];
  for (const text of [...nonsense, ...misplaced]) {
    const world = await World.online();
    const link = world.server.last;
    link.sayText(text);
    await world.clock.pass(RETRY_MS);
    assert.equal(link.isOpen, false, text);
    assert.equal(world.server.open.length, 1, text);
    assert.deepEqual(world.seen, [], text);
  }
});

test("fields that are not known, and answers that nobody waits for, do no harm", async () => {
  const world = await World.online();
  world.server.last.sayText('{"type":"peer_message","sender":"bob","text":"hello","colour":"red"}');
  world.server.last.say({ type: "done", id: 99 });
  await world.clock.pass(0);
  assert.deepEqual(world.seen, ["onMessageReceivedFromPeer bob hello"]);
  assert.equal(world.server.open.length, 1);
});
