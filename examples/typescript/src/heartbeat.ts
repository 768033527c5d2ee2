/** The heartbeat of one connection: says that this side lives, and finds out whether the other does. */

import { Alarm, type Clock } from "./clock.js";

export interface HeartbeatTimes {
  /** No answer for so long, and for twice as long as the last one took: something may be wrong. */
  suspectMs: number;
  /** No answer for so long: the connection is lost. */
  lostMs: number;
}

export interface HeartbeatHandlers {
  ping(n: number): void;
  /** The oldest unanswered ping is overdue. */
  onSuspect(): void;
  /** An answer came after all. */
  onFine(): void;
  /** The oldest unanswered ping has had no answer for as long as there is patience. */
  onLost(): void;
}

export class Heartbeat {
  private n = 0;
  private readonly unanswered: { n: number; sentAtMs: number }[] = [];
  private tripMs = 0;
  private suspect = false;
  private readonly beat: Alarm;
  private readonly watch: Alarm;
  private intervalMs = 0;
  private nextBeatMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly times: HeartbeatTimes,
    private readonly handlers: HeartbeatHandlers,
  ) {
    this.beat = new Alarm(clock, () => this.send());
    this.watch = new Alarm(clock, () => this.look());
  }

  /** When the silence began that is suspicious by now: at the sending of the oldest unanswered ping. */
  get suspectSinceMs(): number | undefined {
    return this.suspect ? this.unanswered[0]?.sentAtMs : undefined;
  }

  /** Sends the first ping now, and one each interval from then on, however busy the connection is otherwise. */
  start(intervalMs: number): void {
    this.intervalMs = intervalMs;
    this.nextBeatMs = this.clock.now();
    this.send();
  }

  stop(): void {
    this.beat.clear();
    this.watch.clear();
  }

  /** A pong answers its ping, and all older ones. False where there is none that it could answer. */
  pong(n: number): boolean {
    if (!this.unanswered.some((ping) => ping.n === n)) return false;
    const now = this.clock.now();
    for (let oldest = this.unanswered[0]; oldest !== undefined && oldest.n <= n; oldest = this.unanswered[0]) {
      this.tripMs = now - oldest.sentAtMs;
      this.unanswered.shift();
    }
    this.look();
    return true;
  }

  private send(): void {
    const now = this.clock.now();
    this.n += 1;
    this.unanswered.push({ n: this.n, sentAtMs: now });
    if (!this.watch.isSet) this.look();
    this.handlers.ping(this.n);
    // By schedule, so that lateness does not add up; but no burst of pings after a standstill.
    this.nextBeatMs = Math.max(this.nextBeatMs + this.intervalMs, now + this.intervalMs / 2);
    this.beat.setAt(this.nextBeatMs);
  }

  /** Judges the oldest unanswered ping, and sets the alarm for when it is to be judged again. */
  private look(): void {
    this.watch.clear();
    const oldest = this.unanswered[0];
    const suspectMs = Math.min(this.times.lostMs, Math.max(this.times.suspectMs, 2 * this.tripMs));
    const silenceMs = oldest === undefined ? 0 : this.clock.now() - oldest.sentAtMs;
    if (silenceMs < suspectMs) {
      if (oldest !== undefined) this.watch.setAt(oldest.sentAtMs + suspectMs);
      if (this.suspect) {
        this.suspect = false;
        this.handlers.onFine();
      }
      return;
    }
    if (silenceMs < this.times.lostMs) this.watch.setIn(this.times.lostMs - silenceMs);
    if (!this.suspect) {
      this.suspect = true;
      this.handlers.onSuspect();
    }
    if (silenceMs >= this.times.lostMs) this.handlers.onLost();
  }
}
