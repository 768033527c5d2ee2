/** The search for a connection that works. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../connector.js";
import { RETRY_MS } from "../index.js";
import { World } from "./world.js";

test("connects that hang hold up no attempt: each begins within RETRY_MS of the one before", async () => {
  for (const random of [0, 0.5, 0.999]) {
    const world = new World(() => random);
    world.server.hangs = true;
    world.client.login("a token", "alice");
    await world.clock.pass(5900);
    const starts = world.server.peers.map((peer) => peer.dialledAtMs);
    const gaps = starts.slice(1).map((at, i) => at - (starts[i] ?? 0));
    assert.ok(gaps.length >= 6);
    assert.ok(Math.max(...gaps) <= RETRY_MS, `${gaps}`);
  }
});

test("one login is under way at a time, and an overdue one gives way to the newest connection", async () => {
  const world = new World();
  world.server.isSilent = true;
  world.client.login("a token", "alice");
  await world.clock.pass(790);
  const [first] = world.server.peers;
  assert.equal(world.server.count("login"), 1);
  assert.ok(world.server.open.length >= 2);
  await world.clock.pass(20);
  assert.equal(world.server.count("login"), 2);
  assert.equal(first?.isOpen, false);
  assert.deepEqual(world.server.peers.flatMap((peer) => (peer.isOpen ? peer.types() : [])), ["login"]);
});

test("a slow server is given the time that it takes", async () => {
  const world = new World();
  world.server.hangs = true;
  world.server.isSilent = true;
  world.client.login("a token", "alice");
  await world.clock.pass(1500);
  const [first] = world.server.peers;
  first?.open(); // it took 1.5 s, so an answer may take 3 s
  world.server.hangs = false;
  await world.clock.pass(2900);
  assert.deepEqual(first?.types(), ["login"]);
  assert.equal(first?.isOpen, true);
});

test("of two logins the later one has the higher number, whichever connection was dialled first", async () => {
  const world = new World();
  world.server.isSilent = true;
  world.client.login("a token", "alice");
  await world.clock.pass(5000);
  const numbers = world.server.peers.flatMap(({ received }) => received.map((f) => (f.type === "login" ? f.attempt : 0)));
  assert.deepEqual(
    numbers.filter((n) => n > 0),
    [...numbers.keys()].map((i) => i + 1).slice(0, world.server.count("login")),
  );
});

test("a server that lets in and hangs up makes no storm", async () => {
  const world = await World.online();
  const end = world.clock.now() + 10_000;
  while (world.clock.now() < end) {
    if (world.client.state === 3 && world.server.last.types().includes("login")) world.server.last.drop();
    await world.clock.pass(10);
  }
  assert.ok(world.server.count("login") < 25, `${world.server.count("login")} logins in 10 s`);
});

test("the back-off grows to its cap, is spread by chance, and can begin anew", () => {
  const times = { firstMs: 250, longestMs: 900 };
  const latest = new Backoff(times, () => 0);
  const earliest = new Backoff(times, () => 1);
  assert.deepEqual([1, 2, 3, 4].map(() => latest.nextMs()), [250, 500, 900, 900]);
  assert.deepEqual([1, 2, 3, 4].map(() => Math.round(earliest.nextMs())), [150, 300, 540, 540]);
  latest.reset();
  assert.equal(latest.nextMs(), 250);
});
