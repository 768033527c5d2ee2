/** Time, as something that is handed in: tests hand in one that they move by hand. */

export interface Clock {
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Calls back once, after so many milliseconds; what comes back takes it back. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Node fires at once what is set for longer than this. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    let timer: NodeJS.Timeout;
    const wait = (restMs: number): void => {
      const stepMs = Math.min(restMs, LONGEST_TIMER_MS);
      timer = setTimeout(() => (restMs > stepMs ? wait(restMs - stepMs) : callback()), stepMs);
    };
    wait(delayMs);
    return () => clearTimeout(timer);
  },
};

/** A timer that can be set, set anew and cleared. It is never set twice. */
export class Alarm {
  private cancel: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly ring: () => void,
  ) {}

  get isSet(): boolean {
    return this.cancel !== undefined;
  }

  /** Rings at this time of the clock, and at no other that was set before. */
  setAt(atMs: number): void {
    this.clear();
    this.cancel = this.clock.after(Math.max(0, atMs - this.clock.now()), () => {
      this.cancel = undefined;
      this.ring();
    });
  }

  setIn(delayMs: number): void {
    this.setAt(this.clock.now() + delayMs);
  }

  clear(): void {
    this.cancel?.();
    this.cancel = undefined;
  }
}
