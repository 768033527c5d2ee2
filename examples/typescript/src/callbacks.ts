/** What the app is told, and the one queue that tells it. */

import type { ConnectionState, JoinErr, LeaveErr, LoginErr, LogoutErr, Reason, RenewTokenErr } from "./codes.js";

export interface Callbacks {
  onConnectionStateChanged(state: ConnectionState, reason: Reason): void;
  onLoginSuccess(): void;
  onLoginFailure(code: LoginErr): void;
  onLogout(code: LogoutErr): void;
  onTokenExpired(): void;
  onRenewTokenResult(token: string, code: RenewTokenErr): void;
  onMessageReceivedFromPeer(peer: string, text: string): void;
  onJoinSuccess(channel: string): void;
  onJoinFailure(channel: string, code: JoinErr): void;
  onLeave(channel: string, code: LeaveErr): void;
  onMemberJoined(channel: string, member: string): void;
  onMemberLeft(channel: string, member: string): void;
  onMessageReceived(channel: string, member: string, text: string): void;
}

/** Tells the app: the same names, and nothing is called before the client is done with what it is at. */
export type Tell = <K extends keyof Callbacks>(name: K, ...args: Parameters<Callbacks[K]>) => void;

/**
 * Callbacks, strictly one after the other.
 *
 * They run as a microtask: after the client has finished what led to them, so it is whole when the app calls it from
 * inside one, and before anything else can happen to it. What such a call leads to is told after all that was to be
 * told before. One that throws, or whose promise is rejected, is reported and disturbs nothing.
 */
export class CallbackQueue {
  private readonly waiting: (() => unknown)[] = [];
  private closed = false;

  constructor(
    private readonly callbacks: Partial<Callbacks>,
    private readonly onError: (error: unknown) => void,
  ) {}

  readonly tell: Tell = (name, ...args) => {
    this.waiting.push(() => {
      const callback = this.callbacks[name] as ((...args: unknown[]) => unknown) | undefined;
      return callback?.apply(this.callbacks, args);
    });
    if (this.waiting.length === 1) queueMicrotask(() => this.run());
  };

  /** From now on nothing is told, not even what waits. */
  close(): void {
    this.closed = true;
  }

  private run(): void {
    for (let next = this.waiting[0]; next !== undefined && !this.closed; next = this.waiting[0]) {
      try {
        const result = next();
        if (result instanceof Promise) result.catch(this.onError);
      } catch (error) {
        this.onError(error);
      }
      this.waiting.shift(); // only now: what is told meanwhile finds a run under way
    }
  }
}
