/**
 * One life: from a login() to its end, by failure or by logout(). The state machine is here, and nowhere else.
 *
 * A life owns all that can call it back: its connections, its timers, its requests. Its end takes them all away, so
 * nothing of a former life can disturb the next one.
 */

import { UserAttributes } from "./attributes.js";
import type { Tell } from "./callbacks.js";
import { Channels, type ChannelTimes } from "./channels.js";
import { Alarm, type Clock } from "./clock.js";
import { ConnectionState, loginErr, LoginErr, LogoutErr, Reason, type WireCode } from "./codes.js";
import { Connection, type ConnectionTimes } from "./connection.js";
import { Backoff, type BackoffTimes, Connector } from "./connector.js";
import { Requests } from "./requests.js";
import { Token } from "./token.js";
import type { Dial } from "./transport.js";
import type { LoggedInFrame, NewsFrame } from "./wire.js";

export interface SessionTimes extends ConnectionTimes, BackoffTimes, ChannelTimes {
  /** A login that is not through by then has timed out. */
  loginMs: number;
  /** A request without an answer by then has failed. */
  requestMs: number;
  /** A link that lived for so long was a good one: the next attempt need not wait. */
  stableMs: number;
}

export interface SessionContext {
  readonly url: string;
  readonly appId: string;
  readonly uid: string;
  readonly instance: string;
  readonly clock: Clock;
  readonly dial: Dial;
  readonly random: () => number;
  readonly times: SessionTimes;
  readonly tell: Tell;
  /** The number of the next login frame: of two that overtake each other on the way the later one counts. */
  nextAttempt(): number;
}

const { DISCONNECTED, CONNECTING, CONNECTED, RECONNECTING, ABORTED } = ConnectionState;

/** The switches there are (docs/spec.md, 'The transitions'). */
const TRANSITIONS: Record<ConnectionState, readonly (readonly [ConnectionState, Reason])[]> = {
  [DISCONNECTED]: [[CONNECTING, Reason.LOGIN]],
  [CONNECTING]: [
    [CONNECTED, Reason.LOGIN_SUCCESS],
    [DISCONNECTED, Reason.LOGIN_FAILURE],
    [DISCONNECTED, Reason.LOGIN_TIMEOUT],
  ],
  [CONNECTED]: [
    [RECONNECTING, Reason.INTERRUPTED],
    [ABORTED, Reason.REMOTE_LOGIN],
    [ABORTED, Reason.BANNED_BY_SERVER],
    [DISCONNECTED, Reason.LOGOUT],
  ],
  [RECONNECTING]: [
    [CONNECTED, Reason.LOGIN_SUCCESS],
    [ABORTED, Reason.REMOTE_LOGIN],
    [ABORTED, Reason.BANNED_BY_SERVER],
    [DISCONNECTED, Reason.LOGOUT],
  ],
  [ABORTED]: [[DISCONNECTED, Reason.LOGOUT]],
};

export class Session {
  readonly requests: Requests;
  readonly channels: Channels;
  readonly attributes: UserAttributes;
  private readonly token: Token;
  private readonly connector: Connector;
  private readonly backoff: Backoff;
  /** Rings 6 s after the entry into CONNECTING, whatever was retried. */
  private readonly loginTimeOut: Alarm;
  /** Rings 4 s after a loss that could be seen. A silent one is timed by the heartbeat of its connection. */
  private readonly grace: Alarm;
  private current: ConnectionState = DISCONNECTED;
  private link: Connection | undefined;
  private linkSinceMs = 0;
  private serverSession: string | undefined;

  constructor(
    private readonly context: SessionContext,
    token: string,
  ) {
    const { clock, times, tell } = context;
    this.requests = new Requests(clock, times.requestMs);
    this.channels = new Channels(clock, times, this.requests, tell);
    this.attributes = new UserAttributes(clock, times.againMs, this.requests);
    this.token = new Token(clock, token, this.requests, tell);
    this.backoff = new Backoff(times, context.random);
    this.connector = new Connector(clock, this.backoff, {
      dial: () => this.dial(),
      logIn: (connection) => this.logIn(connection),
    });
    this.loginTimeOut = new Alarm(clock, () => this.loginFailed(LoginErr.TIMEOUT, Reason.LOGIN_TIMEOUT));
    this.grace = new Alarm(clock, () => this.interrupted());
    this.switchTo(CONNECTING, Reason.LOGIN);
    this.loginTimeOut.setIn(times.loginMs);
    this.connector.start();
  }

  get state(): ConnectionState {
    return this.current;
  }

  get isLoggedIn(): boolean {
    return this.current === CONNECTED || this.current === RECONNECTING;
  }

  /** For a session that is logged in, or was until it was aborted. */
  logout(): void {
    this.end((connection) => connection.quit());
    this.switchTo(DISCONNECTED, Reason.LOGOUT);
    this.context.tell("onLogout", LogoutErr.OK);
  }

  renewToken(token: string): void {
    this.token.renew(token);
    if (this.link === undefined) this.connector.hurry();
  }

  /** Ends it without a word to anybody: for the server this is an interruption. */
  dispose(): void {
    this.end((connection) => connection.abandon());
  }

  private switchTo(state: ConnectionState, reason: Reason): void {
    if (!TRANSITIONS[this.current].some(([to, why]) => to === state && why === reason)) {
      throw new Error(`no switch from state ${this.current} to ${state} for reason ${reason}: a bug of this client`);
    }
    this.current = state;
    this.context.tell("onConnectionStateChanged", state, reason);
  }

  private dial(): Connection {
    return new Connection(this.context.dial, this.context.url, this.context.clock, this.context.times, {
      onOpen: () => this.connector.elect(),
      onLive: (connection, login) => this.onLive(connection, login),
      onRefused: (connection, code) => this.onRefused(connection, code),
      onEnded: (reason) => this.onRefusedForGood(reason === "banned" ? "banned" : "superseded"),
      onNews: (frame) => this.onNews(frame),
      onAnswer: (frame) => this.requests.answer(frame),
      onSuspect: () => this.connector.start(),
      onFine: () => this.connector.relax(),
      onLost: () => this.interrupted(),
      onClosed: (connection) => this.onClosed(connection),
    });
  }

  private logIn(connection: Connection): void {
    connection.logIn({
      type: "login",
      app_id: this.context.appId,
      uid: this.context.uid,
      token: this.token.forLogin,
      instance: this.context.instance,
      attempt: this.context.nextAttempt(),
      ...(this.serverSession === undefined ? {} : { resume: this.serverSession }),
    });
  }

  private onLive(connection: Connection, login: LoggedInFrame): void {
    this.loginTimeOut.clear();
    this.grace.clear();
    this.dropLink();
    this.connector.take(connection);
    this.link = connection;
    this.linkSinceMs = this.context.clock.now();
    this.serverSession = login.session;
    this.token.accepted(connection.token, login.token_expires_in_s);
    this.requests.attach(connection);
    if (this.current === CONNECTING) this.context.tell("onLoginSuccess");
    if (this.current !== CONNECTED) this.switchTo(CONNECTED, Reason.LOGIN_SUCCESS);
    // First what the session had, then what the app asked for meanwhile: on the wire they keep this order.
    this.channels.restore(login.resumed);
    this.attributes.restore(login.resumed);
    this.token.restore();
    this.requests.flush();
  }

  private onRefused(connection: Connection, code: WireCode): void {
    this.connector.remove(connection);
    if (code === "superseded" || code === "banned") return this.onRefusedForGood(code);
    if (code === "stale") return; // that was about this connection alone
    if (this.current === CONNECTING) return this.loginFailed(loginErr(code), Reason.LOGIN_FAILURE);
    this.token.refused(connection.token, code);
  }

  private onRefusedForGood(code: "superseded" | "banned"): void {
    if (this.current === CONNECTING) return this.loginFailed(loginErr(code), Reason.LOGIN_FAILURE);
    this.end((connection) => connection.abandon());
    this.switchTo(ABORTED, code === "banned" ? Reason.BANNED_BY_SERVER : Reason.REMOTE_LOGIN);
  }

  private onClosed(connection: Connection): void {
    if (connection !== this.link) return this.connector.remove(connection);
    const now = this.context.clock.now();
    this.dropLink();
    this.grace.setAt((connection.suspectSinceMs ?? now) + this.context.times.lostMs);
    const wasStable = now - this.linkSinceMs >= this.context.times.stableMs;
    if (wasStable) this.backoff.reset();
    this.connector.start(wasStable ? 0 : this.backoff.nextMs());
  }

  private interrupted(): void {
    this.grace.clear();
    this.dropLink();
    this.switchTo(RECONNECTING, Reason.INTERRUPTED);
    this.connector.start();
  }

  private onNews(frame: NewsFrame): void {
    if (frame.type === "peer_message") this.context.tell("onMessageReceivedFromPeer", frame.sender, frame.text);
    else this.channels.news(frame);
  }

  private loginFailed(code: LoginErr, reason: Reason): void {
    this.end((connection) => connection.abandon());
    this.context.tell("onLoginFailure", code);
    this.switchTo(DISCONNECTED, reason);
  }

  private dropLink(): void {
    this.link?.abandon();
    this.link = undefined;
    this.requests.detach();
  }

  /** Takes away all that could still call this life back. */
  private end(leave: (connection: Connection) => void): void {
    this.loginTimeOut.clear();
    this.grace.clear();
    this.connector.stop(leave);
    if (this.link !== undefined) leave(this.link);
    this.link = undefined;
    this.channels.end();
    this.attributes.end();
    this.token.end();
    this.requests.end();
  }
}
