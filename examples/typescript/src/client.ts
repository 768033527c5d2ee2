/** The client: the calls that an app makes. */

import { randomUUID } from "node:crypto";
import { CallbackQueue, type Callbacks } from "./callbacks.js";
import { type Clock, systemClock } from "./clock.js";
import { ConnectionState, JoinErr, LeaveErr, LoginErr, LogoutErr, RenewTokenErr, RequestErr, requestErr } from "./codes.js";
import type { Answer, Manner } from "./requests.js";
import { Session, type SessionTimes } from "./session.js";
import { type Dial, dialWebSocket } from "./transport.js";
import { type Attributes, fits, isMessage, isName, isNames, isToken, type RequestBody } from "./wire.js";

export interface ClientOptions {
  /** Where the server is, such as `ws://127.0.0.1:8765`. */
  url: string;
  appId: string;
  callbacks?: Partial<Callbacks>;
  /** Told what a callback threw. By default it is printed to standard error. */
  onCallbackError?: (error: unknown) => void;
  /** For tests. */
  clock?: Clock;
  dial?: Dial;
  random?: () => number;
}

/** The longest time between two heartbeats of a client that is not held up. */
export const HEARTBEAT_MS = 400;
/** The longest time between two attempts to connect, whatever became of the first. */
export const RETRY_MS = 900;

const TIMES: SessionTimes = {
  heartbeatMs: HEARTBEAT_MS,
  suspectMs: 1000,
  lostMs: 4000,
  loginMs: 6000,
  stepMs: 6000,
  overdueMs: 800,
  firstMs: 250,
  longestMs: RETRY_MS,
  stableMs: 2000,
  joinMs: 5000,
  requestMs: 5000,
  againMs: 1000,
};

const LOGIN_CALLS_MAX = 2;
const LOGIN_CALLS_WINDOW_MS = 1000;

/**
 * A client of one realtime-messaging server.
 *
 * login(), logout(), renewToken(), join() and leave() return at once, with a code that says whether the call was
 * accepted; what becomes of it is told by a callback. The others return a promise of their outcome, which is never
 * rejected: a `code` other than 0 says what went wrong. No callback is made while a call runs.
 */
export class RtmClient {
  private readonly queue: CallbackQueue;
  private readonly clock: Clock;
  private readonly instance: string = randomUUID();
  private readonly loginCallsMs: number[] = [];
  private session: Session | undefined;
  private attempts = 0;

  constructor(private readonly options: ClientOptions) {
    this.clock = options.clock ?? systemClock;
    this.queue = new CallbackQueue(options.callbacks ?? {}, options.onCallbackError ?? console.error);
  }

  get state(): ConnectionState {
    return this.session?.state ?? ConnectionState.DISCONNECTED;
  }

  login(token: string, uid: string): LoginErr {
    if (!isToken(token) || !isName(uid)) return LoginErr.INVALID_ARGUMENT;
    if (!isName(this.options.appId)) return LoginErr.INVALID_APP_ID;
    if (this.isTooOften()) return LoginErr.TOO_OFTEN;
    if (this.state !== ConnectionState.DISCONNECTED) return LoginErr.ALREADY_LOGGED_IN;
    const { url, appId, dial = dialWebSocket, random = Math.random } = this.options;
    this.session = new Session(
      {
        url,
        appId,
        uid,
        dial,
        random,
        instance: this.instance,
        clock: this.clock,
        times: TIMES,
        tell: this.queue.tell,
        nextAttempt: () => (this.attempts += 1),
      },
      token,
    );
    return LoginErr.OK;
  }

  logout(): LogoutErr {
    const { session } = this;
    if (session === undefined || !(session.isLoggedIn || session.state === ConnectionState.ABORTED)) {
      return LogoutErr.USER_NOT_LOGGED_IN;
    }
    session.logout();
    return LogoutErr.OK;
  }

  renewToken(token: string): RenewTokenErr {
    if (!isToken(token)) return RenewTokenErr.INVALID_ARGUMENT;
    const session = this.loggedIn();
    if (session === undefined) return RenewTokenErr.USER_NOT_LOGGED_IN;
    session.renewToken(token);
    return RenewTokenErr.OK;
  }

  join(channel: string): JoinErr {
    return this.loggedIn()?.channels.join(channel) ?? JoinErr.USER_NOT_LOGGED_IN;
  }

  leave(channel: string): LeaveErr {
    return this.loggedIn()?.channels.leave(channel) ?? LeaveErr.USER_NOT_LOGGED_IN;
  }

  async sendToPeer(peer: string, text: string): Promise<RequestErr> {
    if (!isName(peer) || !isMessage(text)) return RequestErr.INVALID_ARGUMENT;
    return (await this.ask({ type: "send_to_peer", peer, text }, "once")).code;
  }

  async sendToChannel(channel: string, text: string): Promise<RequestErr> {
    if (!isName(channel) || !isMessage(text)) return RequestErr.INVALID_ARGUMENT;
    return (await this.ask({ type: "send_to_channel", channel, text }, "once")).code;
  }

  /** The uids of those who are in a channel, sorted. */
  async getMembers(channel: string): Promise<{ code: RequestErr; members: string[] }> {
    if (!isName(channel)) return { code: RequestErr.INVALID_ARGUMENT, members: [] };
    const { code, answer } = await this.ask({ type: "get_members", channel }, "repeatable");
    return { code, members: answer?.type === "members" ? answer.members : [] };
  }

  async getAttributes(uid: string): Promise<{ code: RequestErr; attributes: Attributes }> {
    if (!isName(uid)) return { code: RequestErr.INVALID_ARGUMENT, attributes: {} };
    const { code, answer } = await this.ask({ type: "get_attributes", uid }, "repeatable");
    return { code, attributes: answer?.type === "attributes" ? answer.attributes : {} };
  }

  async queryOnline(uids: string[]): Promise<{ code: RequestErr; online: Record<string, boolean> }> {
    if (!isNames(uids)) return { code: RequestErr.INVALID_ARGUMENT, online: {} };
    const { code, answer } = await this.ask({ type: "query_online", uids }, "repeatable");
    return { code, online: answer?.type === "online" ? answer.online : {} };
  }

  /** Puts these in the place of all of the user's attributes. */
  async setAttributes(attributes: Attributes): Promise<RequestErr> {
    return this.loggedIn()?.attributes.set(attributes) ?? RequestErr.USER_NOT_LOGGED_IN;
  }

  async addAttributes(attributes: Attributes): Promise<RequestErr> {
    return this.loggedIn()?.attributes.add(attributes) ?? RequestErr.USER_NOT_LOGGED_IN;
  }

  async deleteAttributes(keys: string[]): Promise<RequestErr> {
    if (!isNames(keys)) return RequestErr.INVALID_ARGUMENT;
    return this.loggedIn()?.attributes.delete(keys) ?? RequestErr.USER_NOT_LOGGED_IN;
  }

  /** Closes what is open, for a process that ends. Nothing is called back any more. It is no logout. */
  dispose(): void {
    this.queue.close();
    this.session?.dispose();
    this.session = undefined;
  }

  private loggedIn(): Session | undefined {
    return this.session?.isLoggedIn ? this.session : undefined;
  }

  private ask(body: RequestBody, manner: Manner): Promise<{ code: RequestErr; answer?: Answer }> {
    const session = this.loggedIn();
    if (session === undefined) return Promise.resolve({ code: RequestErr.USER_NOT_LOGGED_IN });
    if (!fits({ ...body, id: Number.MAX_SAFE_INTEGER })) return Promise.resolve({ code: RequestErr.REJECTED });
    return new Promise((resolve) => {
      session.requests.send(body, manner, (outcome) => {
        if (outcome.ok) resolve({ code: RequestErr.OK, answer: outcome.answer });
        else resolve({ code: requestErr(outcome.failure) });
      });
    });
  }

  /** No more than two calls are let through within any second. */
  private isTooOften(): boolean {
    const now = this.clock.now();
    const [oldest] = this.loginCallsMs;
    if (this.loginCallsMs.length === LOGIN_CALLS_MAX && oldest !== undefined) {
      if (now - oldest < LOGIN_CALLS_WINDOW_MS) return true;
      this.loginCallsMs.shift();
    }
    this.loginCallsMs.push(now);
    return false;
  }
}
