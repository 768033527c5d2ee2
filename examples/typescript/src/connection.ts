/** One connection: dialled, opened, logged in, confirmed, live, closed. It knows nothing of other connections. */

import { Alarm, type Clock } from "./clock.js";
import type { WireCode } from "./codes.js";
import { Heartbeat, type HeartbeatTimes } from "./heartbeat.js";
import type { Dial, Socket } from "./transport.js";
import type { AnswerFrame, ClientFrame, LoggedInFrame, LoginFrame, NewsFrame, ServerFrame } from "./wire.js";
import { decode, encode } from "./wire.js";

/**
 * dialling -> open -> logging in -> confirming -> live, and from each of them to closed.
 *
 * confirming: a new session is there, and lasts only once the server has heard from this side again. A resumed one
 * needs no confirmation, and is live at once.
 */
export type Phase = "dialling" | "open" | "logging in" | "confirming" | "live" | "closed";

export interface ConnectionTimes extends HeartbeatTimes {
  /** From one ping to the next; a server may ask for more of them. */
  heartbeatMs: number;
  /** The longest that opening, the login and its confirmation may take, each. */
  stepMs: number;
  /** An answer that takes longer than this, and than twice the last one, is overdue: another connection may be tried. */
  overdueMs: number;
}

export interface ConnectionHandlers {
  onOpen(connection: Connection): void;
  onLive(connection: Connection, login: LoggedInFrame): void;
  onRefused(connection: Connection, code: WireCode): void;
  /** The session is over for good. */
  onEnded(reason: "remote_login" | "banned"): void;
  onNews(frame: NewsFrame): void;
  /** False where it is no answer to what was asked. */
  onAnswer(frame: AnswerFrame): boolean;
  /** Live, and silent for longer than it should be. */
  onSuspect(): void;
  /** It was suspect, and has answered. */
  onFine(): void;
  /** Live, and silent for too long. */
  onLost(): void;
  /** It closed, or took too long. Not called after abandon() and quit(). */
  onClosed(connection: Connection): void;
}

export class Connection {
  phase: Phase = "dialling";
  /** The token that it logged in with. */
  token = "";
  private readonly socket: Socket;
  private readonly heartbeat: Heartbeat;
  private readonly deadline: Alarm;
  private stepBeganMs: number;
  private lastAnswerMs = 0;
  private login: LoggedInFrame | undefined;
  private readonly early: NewsFrame[] = [];

  constructor(
    dial: Dial,
    url: string,
    private readonly clock: Clock,
    private readonly times: ConnectionTimes,
    private readonly handlers: ConnectionHandlers,
  ) {
    this.stepBeganMs = clock.now();
    this.deadline = new Alarm(clock, () => this.fail());
    this.deadline.setIn(times.stepMs);
    this.heartbeat = new Heartbeat(clock, times, {
      ping: (n) => this.send({ type: "ping", n }),
      onSuspect: () => this.phase === "live" && handlers.onSuspect(),
      onFine: () => this.phase === "live" && handlers.onFine(),
      onLost: () => this.phase === "live" && handlers.onLost(),
    });
    this.socket = dial(url, {
      onOpen: () => this.onOpen(),
      onText: (text) => this.onText(text),
      onClose: () => this.fail(),
    });
  }

  /** While it logs in: when it may be overtaken by another connection. */
  get overdueAtMs(): number {
    return this.stepBeganMs + Math.max(this.times.overdueMs, 2 * this.lastAnswerMs);
  }

  get isLoggingIn(): boolean {
    return this.phase === "logging in" || this.phase === "confirming";
  }

  /** When a silence began that is suspicious by now. */
  get suspectSinceMs(): number | undefined {
    return this.heartbeat.suspectSinceMs;
  }

  logIn(frame: LoginFrame): void {
    this.token = frame.token;
    this.stepTo("logging in");
    this.send(frame);
  }

  send(frame: ClientFrame): void {
    if (this.phase !== "closed") this.socket.send(encode(frame));
  }

  /** It is not needed: another one is. The session, where there is one, goes on. */
  abandon(): void {
    if (this.phase === "closed") return;
    const unconfirmed = this.phase === "confirming";
    if (unconfirmed) this.send({ type: "logout" }); // or a ping that has arrived leaves a ghost behind
    this.shut();
    if (unconfirmed) this.socket.close();
    else this.socket.destroy();
  }

  /** The user leaves: a session that this connection has is to end. */
  quit(): void {
    if (this.phase === "closed") return;
    const hasSession = this.phase === "confirming" || this.phase === "live";
    if (hasSession) this.send({ type: "logout" });
    this.shut();
    if (hasSession) this.socket.close();
    else this.socket.destroy();
  }

  private onOpen(): void {
    if (this.phase !== "dialling") return;
    this.answered();
    this.stepTo("open");
    this.handlers.onOpen(this);
  }

  private onText(text: string): void {
    if (this.phase === "closed") return;
    const frame = decode(text);
    if (frame === undefined) this.fail();
    else if (this.phase === "logging in") this.onLoginAnswer(frame);
    else if (this.phase === "confirming" || this.phase === "live") this.onFrame(frame);
    else this.fail(); // a server never speaks first
  }

  private onLoginAnswer(frame: ServerFrame): void {
    if (frame.type === "logged_in") return this.onLoggedIn(frame);
    if (frame.type !== "refused") return this.fail();
    this.abandon();
    this.handlers.onRefused(this, frame.code);
  }

  private onFrame(frame: ServerFrame): void {
    switch (frame.type) {
      case "logged_in":
      case "refused":
        return this.fail();
      case "pong":
        return this.onPong(frame.n);
      case "ended":
        this.abandon();
        return this.handlers.onEnded(frame.reason);
      case "member_joined":
      case "member_left":
      case "peer_message":
      case "channel_message":
        if (this.phase === "live") this.handlers.onNews(frame);
        else this.early.push(frame); // the app learns of its login first
        return;
      default:
        if (!this.handlers.onAnswer(frame)) this.fail();
    }
  }

  private onLoggedIn(frame: LoggedInFrame): void {
    this.login = frame;
    this.answered();
    this.stepTo("confirming");
    this.heartbeat.start(Math.min(this.times.heartbeatMs, 1000 * frame.heartbeat_s));
    if (frame.resumed) this.goLive(frame);
  }

  private onPong(n: number): void {
    if (!this.heartbeat.pong(n)) return this.fail();
    if (this.phase === "confirming" && this.login !== undefined) this.goLive(this.login);
  }

  private goLive(login: LoggedInFrame): void {
    this.phase = "live";
    this.deadline.clear();
    this.handlers.onLive(this, login);
    for (const frame of this.early.splice(0)) this.handlers.onNews(frame);
  }

  /** How long the server takes to answer says how long its next answer may take. */
  private answered(): void {
    this.lastAnswerMs = this.clock.now() - this.stepBeganMs;
  }

  private stepTo(phase: Phase): void {
    this.phase = phase;
    this.stepBeganMs = this.clock.now();
    this.deadline.setIn(this.times.stepMs);
  }

  private fail(): void {
    if (this.phase === "closed") return;
    this.abandon();
    this.handlers.onClosed(this);
  }

  private shut(): void {
    this.phase = "closed";
    this.deadline.clear();
    this.heartbeat.stop();
  }
}
