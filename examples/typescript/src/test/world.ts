/** A client in a world that is moved by hand: a clock, a server's end of every connection, and what the app was told. */

import type { Callbacks } from "../callbacks.js";
import type { Clock } from "../clock.js";
import { RtmClient } from "../client.js";
import { ConnectionState, Reason } from "../codes.js";
import type { Dial, Socket, SocketHandlers } from "../transport.js";
import { ANSWERS, type ClientFrame, decode, type ServerFrame } from "../wire.js";

/** So that a duration that is taken for a time shows at once. */
const SOME_TIME_AGO_MS = 7_654_321;

export class FakeClock implements Clock {
  private nowMs = SOME_TIME_AGO_MS;
  private readonly timers = new Set<{ atMs: number; callback: () => void }>();

  now(): number {
    return this.nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  get timersSet(): number {
    return this.timers.size;
  }

  /** Lets so much time pass, and the app be told after each thing that happens in it. */
  async pass(durationMs: number): Promise<void> {
    const endMs = this.nowMs + durationMs;
    for (;;) {
      await told();
      const [next] = [...this.timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.timers.delete(next);
      this.nowMs = next.atMs;
      next.callback();
    }
    this.nowMs = endMs;
  }
}

/** Until every microtask has run. */
export const told = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The server's end of a connection. */
export class Peer {
  readonly received: ClientFrame[] = [];
  end: "none" | "closed" | "destroyed" = "none";
  isDropped = false;

  constructor(
    readonly dialledAtMs: number,
    private readonly handlers: SocketHandlers,
    private readonly server: Server,
  ) {}

  readonly socket: Socket = {
    send: (text) => {
      const frame = JSON.parse(text) as ClientFrame;
      this.received.push(frame);
      if (!this.server.isSilent) this.server.answer(this, frame);
    },
    close: () => void (this.end = "closed"),
    destroy: () => void (this.end = "destroyed"),
  };

  get isOpen(): boolean {
    return this.end === "none" && !this.isDropped;
  }

  open(): void {
    this.handlers.onOpen();
  }

  say(frame: ServerFrame): void {
    const text = JSON.stringify(frame);
    if (decode(text) === undefined) throw new Error(`the test itself is wrong: ${text} is no frame`);
    this.handlers.onText(text);
  }

  sayText(text: string): void {
    this.handlers.onText(text);
  }

  drop(): void {
    this.isDropped = true;
    this.handlers.onClose();
  }

  types(): string[] {
    return this.received.map(({ type }) => type).filter((type) => type !== "ping");
  }

  last<T extends ClientFrame["type"]>(type: T): (ClientFrame & { type: T }) | undefined {
    return this.received.findLast((frame) => frame.type === type) as (ClientFrame & { type: T }) | undefined;
  }
}

/** Answers whatever it is asked as a server does that has nothing against it. */
export class Server {
  readonly peers: Peer[] = [];
  /** Connections hang: none opens. */
  hangs = false;
  /** Connections are refused. */
  refuses = false;
  /** What arrives is not answered. */
  isSilent = false;
  resumes = true;
  login: (frame: Extract<ClientFrame, { type: "login" }>) => ServerFrame | undefined = (frame) => ({
    type: "logged_in",
    session: `session ${frame.attempt}`,
    resumed: this.resumes && frame.resume !== undefined,
    heartbeat_s: 0.5,
  });

  constructor(private readonly clock: FakeClock) {}

  readonly dial: Dial = (_url, handlers) => {
    const peer = new Peer(this.clock.now(), handlers, this);
    this.peers.push(peer);
    this.clock.after(0, () => {
      if (this.refuses) peer.drop();
      else if (!this.hangs) peer.open();
    });
    return peer.socket;
  };

  get last(): Peer {
    const peer = this.peers.at(-1);
    if (peer === undefined) throw new Error("there has been no connection");
    return peer;
  }

  get open(): Peer[] {
    return this.peers.filter((peer) => peer.isOpen);
  }

  /** Everything that came, over all connections. */
  count(type: ClientFrame["type"]): number {
    return this.peers.flatMap((peer) => peer.received).filter((frame) => frame.type === type).length;
  }

  answer(peer: Peer, frame: ClientFrame): void {
    const answer = this.answerTo(frame);
    if (answer === undefined) return;
    this.clock.after(0, () => peer.isOpen && !this.isSilent && peer.say(answer));
  }

  private answerTo(frame: ClientFrame): ServerFrame | undefined {
    if (frame.type === "login") return this.login(frame);
    if (frame.type === "ping") return { type: "pong", n: frame.n };
    if (frame.type === "logout") return undefined;
    const { id } = frame;
    const kind = ANSWERS[frame.type];
    if (kind === "members") return { type: kind, id, members: [] };
    if (kind === "attributes") return { type: kind, id, attributes: {} };
    if (kind === "online") return { type: kind, id, online: {} };
    return { type: "done", id };
  }
}

const nameOf = (names: Record<string, number>, value: number): string =>
  Object.entries(names).find(([, number]) => number === value)?.[0] ?? `${value}`;

export class World {
  readonly clock = new FakeClock();
  readonly server = new Server(this.clock);
  /** What the app was told, each as one text: 'CONNECTED / LOGIN_SUCCESS', 'onLogout 0'. */
  readonly seen: string[] = [];
  readonly errors: unknown[] = [];
  /** What the app does inside a callback, by what it was told. */
  readonly inside = new Map<string, () => unknown>();
  readonly client: RtmClient;

  constructor(random: () => number = () => 0.5) {
    this.client = new RtmClient({
      url: "ws://nowhere",
      appId: "app",
      callbacks: this.app(),
      onCallbackError: (error) => this.errors.push(error),
      clock: this.clock,
      dial: this.server.dial,
      random,
    });
  }

  /** A client that is logged in, and what it was told until then forgotten. */
  static async online(): Promise<World> {
    const world = new World();
    world.client.login("a token", "alice");
    await world.clock.pass(10);
    if (world.client.state !== ConnectionState.CONNECTED) throw new Error(`not logged in: ${world.seen.join(", ")}`);
    world.seen.length = 0;
    return world;
  }

  private app(): Callbacks {
    return new Proxy({} as Callbacks, {
      get: (_target, name) => (...args: unknown[]) => {
        const isSwitch = name === "onConnectionStateChanged";
        const text = isSwitch
          ? `${nameOf(ConnectionState, args[0] as number)} / ${nameOf(Reason, args[1] as number)}`
          : [name, ...args].map(String).join(" ");
        this.seen.push(text);
        return this.inside.get(text)?.();
      },
    });
  }
}

