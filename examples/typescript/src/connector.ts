/**
 * Looks for a connection that works.
 *
 * It opens one, and after a growing delay another, whether or not the ones before have come to anything: one that hangs
 * holds up none. The first that opens logs in. What opens meanwhile waits, and takes its turn when the one before it
 * failed or its answer is overdue. So there is one login under way at a time, however many connections there are.
 */

import { Alarm, type Clock } from "./clock.js";
import type { Connection } from "./connection.js";

export interface BackoffTimes {
  /** The delay after the first attempt, doubled for each further one ... */
  firstMs: number;
  /** ... up to this. Chance takes up to two fifths off each. */
  longestMs: number;
}

export class Backoff {
  private failures = 0;

  constructor(
    private readonly times: BackoffTimes,
    private readonly random: () => number,
  ) {}

  nextMs(): number {
    const ceilingMs = Math.min(this.times.longestMs, this.times.firstMs * 2 ** this.failures);
    if (ceilingMs < this.times.longestMs) this.failures += 1;
    return ceilingMs * (1 - 0.4 * this.random());
  }

  reset(): void {
    this.failures = 0;
  }
}

export interface ConnectorHandlers {
  dial(): Connection;
  logIn(connection: Connection): void;
}

export class Connector {
  private readonly attempts = new Set<Connection>();
  private readonly retry: Alarm;
  private readonly overdue: Alarm;
  private running = false;

  constructor(
    private readonly clock: Clock,
    private readonly backoff: Backoff,
    private readonly handlers: ConnectorHandlers,
  ) {
    this.retry = new Alarm(clock, () => this.dial());
    this.overdue = new Alarm(clock, () => this.elect());
  }

  /** A connection is wanted: the first attempt is made after so long. */
  start(delayMs = 0): void {
    if (this.running) return;
    this.running = true;
    this.retry.setIn(delayMs); // never from inside: to open a connection takes a while, and the app is to hear first
  }

  /** The one there is will do after all. A login under way may still be answered: the server may have acted on it. */
  relax(): void {
    this.running = false;
    this.retry.clear();
    for (const attempt of [...this.attempts]) if (!attempt.isLoggingIn) this.drop(attempt);
    this.elect();
  }

  /** There is reason to think that an attempt will now do better: one is made at once, in place of a login under way. */
  hurry(): void {
    if (!this.running) return;
    for (const attempt of [...this.attempts]) if (attempt.isLoggingIn) this.drop(attempt);
    this.backoff.reset();
    this.dial();
    this.elect();
  }

  /** None is wanted any more. */
  stop(leave: (attempt: Connection) => void = (attempt) => attempt.abandon()): void {
    this.running = false;
    this.retry.clear();
    this.overdue.clear();
    const attempts = [...this.attempts];
    this.attempts.clear();
    attempts.forEach(leave);
  }

  /** This attempt has succeeded: it is the caller's, and the others are given up. */
  take(connection: Connection): void {
    this.attempts.delete(connection);
    this.stop();
  }

  /** An attempt came to nothing. */
  remove(connection: Connection): void {
    this.attempts.delete(connection);
    this.elect();
  }

  /** Of the connections that are open the newest logs in, unless a login is under way that may well succeed. */
  elect(): void {
    this.overdue.clear();
    const attempts = [...this.attempts];
    const busy = attempts.find((attempt) => attempt.isLoggingIn);
    if (busy !== undefined && this.clock.now() < busy.overdueAtMs) return this.overdue.setAt(busy.overdueAtMs);
    if (!this.running) return attempts.forEach((attempt) => this.drop(attempt));
    const [next, ...stale] = attempts.filter((attempt) => attempt.phase === "open").reverse();
    if (next === undefined) return;
    if (busy !== undefined) this.drop(busy);
    stale.forEach((attempt) => this.drop(attempt));
    this.handlers.logIn(next);
  }

  private dial(): void {
    this.retry.setIn(this.backoff.nextMs());
    this.attempts.add(this.handlers.dial());
  }

  private drop(attempt: Connection): void {
    this.attempts.delete(attempt);
    attempt.abandon();
  }
}
