/** What the server is asked, and its answers: across links that come and go. */

import { Alarm, type Clock } from "./clock.js";
import type { Failure } from "./codes.js";
import type { Connection } from "./connection.js";
import { type AnswerFrame, ANSWERS, type RequestBody } from "./wire.js";

export type Answer = Exclude<AnswerFrame, { type: "failed" }>;
export type Outcome = { ok: true; answer: Answer } | { ok: false; failure: Failure };

/**
 * What becomes of a request.
 *
 * - bound: it goes out on the link there is now, and fails with it. Whoever made it knows what to do about that.
 * - once: it may wait for a link, and is not repeated when that is lost.
 * - repeatable: it may wait for a link, and is repeated on the next one.
 */
export type Manner = "bound" | "once" | "repeatable";

interface Pending {
  body: RequestBody;
  manner: Manner;
  isSent: boolean;
  timeOut: Alarm;
  settle(outcome: Outcome): void;
}

export class Requests {
  private link: Connection | undefined;
  private lastId = 0;
  private readonly pending = new Map<number, Pending>();

  constructor(
    private readonly clock: Clock,
    private readonly patienceMs: number,
  ) {}

  get hasLink(): boolean {
    return this.link !== undefined;
  }

  /** Asks; the outcome comes exactly once. */
  send(body: RequestBody, manner: Manner, settle: (outcome: Outcome) => void): void {
    this.lastId += 1;
    const id = this.lastId;
    const timeOut = new Alarm(this.clock, () => this.fail(id, "timed_out"));
    timeOut.setIn(this.patienceMs);
    this.pending.set(id, { body, manner, isSent: false, timeOut, settle });
    this.flush();
  }

  /** There is a link. What waits for it goes out with the next flush(). */
  attach(link: Connection): void {
    this.link = link;
  }

  flush(): void {
    if (this.link === undefined) return;
    for (const [id, request] of this.pending) {
      if (request.isSent) continue;
      request.isSent = true;
      this.link.send({ ...request.body, id });
    }
  }

  /** The link is gone, and with it every answer that was still to come. */
  detach(): void {
    this.link = undefined;
    for (const [id, request] of [...this.pending]) {
      if (!request.isSent) continue;
      request.isSent = false;
      if (request.manner !== "repeatable") this.fail(id, "link_lost");
    }
  }

  /** An answer that nobody waits for does no harm. One of the wrong kind is no answer: then this is false. */
  answer(frame: AnswerFrame): boolean {
    const request = this.pending.get(frame.id);
    if (request === undefined) return true;
    if (frame.type === "failed") this.fail(frame.id, frame.code);
    else if (frame.type === ANSWERS[request.body.type]) this.settle(frame.id, { ok: true, answer: frame });
    else return false;
    return true;
  }

  /** The session is over: nothing is answered any more. */
  end(): void {
    this.link = undefined;
    for (const id of [...this.pending.keys()]) this.fail(id, "session_over");
  }

  private fail(id: number, failure: Failure): void {
    this.settle(id, { ok: false, failure });
  }

  private settle(id: number, outcome: Outcome): void {
    const request = this.pending.get(id);
    this.pending.delete(id);
    request?.timeOut.clear();
    request?.settle(outcome);
  }
}
