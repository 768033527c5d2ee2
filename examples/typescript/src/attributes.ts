/** The attributes of the user. This copy is what counts: the server's is made like it wherever they may differ. */

import { Alarm, type Clock } from "./clock.js";
import { RequestErr, requestErr } from "./codes.js";
import type { Requests } from "./requests.js";
import { type Attributes, fits, isAttributes, type RequestBody } from "./wire.js";

type Change = (before: Attributes) => Attributes;

export class UserAttributes {
  private copy: Attributes = {};
  /** Changes that are on their way, oldest first. */
  private readonly underWay: Change[] = [];
  private differs = false;
  private readonly again: Alarm;

  constructor(
    clock: Clock,
    private readonly againMs: number,
    private readonly requests: Requests,
  ) {
    this.again = new Alarm(clock, () => this.restore(true));
  }

  set(attributes: Attributes): Promise<RequestErr> {
    return this.change({ type: "set_attributes", attributes }, () => ({ ...attributes }));
  }

  add(attributes: Attributes): Promise<RequestErr> {
    return this.change({ type: "add_attributes", attributes }, (before) => ({ ...before, ...attributes }));
  }

  delete(keys: string[]): Promise<RequestErr> {
    return this.change({ type: "delete_attributes", keys }, (before) =>
      Object.fromEntries(Object.entries(before).filter(([key]) => !keys.includes(key))),
    );
  }

  /** There is a link, on which the server has these attributes or, where it was not resumed, none. */
  restore(resumed: boolean): void {
    if (!resumed) this.differs = Object.keys(this.copy).length > 0;
    if (!this.differs || !this.requests.hasLink) return;
    this.differs = false;
    this.requests.send({ type: "set_attributes", attributes: this.copy }, "bound", (outcome) => {
      if (outcome.ok || outcome.failure === "session_over") return;
      this.differs = true;
      if (outcome.failure !== "link_lost") this.again.setIn(this.againMs);
    });
  }

  end(): void {
    this.again.clear();
  }

  /** With a link the server decides, and without one this copy: it is sent on the return. */
  private change(body: RequestBody, change: Change): Promise<RequestErr> {
    const after = [...this.underWay, change].reduce((attributes, next) => next(attributes), this.copy);
    if (!isAttributes(after)) return Promise.resolve(RequestErr.INVALID_ARGUMENT);
    // What is restored goes out whole, so it has to fit into one frame.
    const whole = { type: "set_attributes", attributes: after, id: Number.MAX_SAFE_INTEGER } as const;
    if (!fits(whole)) return Promise.resolve(RequestErr.REJECTED);
    if (!this.requests.hasLink) {
      this.copy = change(this.copy);
      this.differs = true;
      return Promise.resolve(RequestErr.OK);
    }
    this.underWay.push(change);
    return new Promise((resolve) => {
      this.requests.send(body, "bound", (outcome) => {
        this.underWay.shift();
        // What was lost on the way may have been carried out, or not: this copy decides.
        const lost = !outcome.ok && (outcome.failure === "link_lost" || outcome.failure === "timed_out");
        if (outcome.ok || lost) this.copy = change(this.copy);
        if (lost) this.differs = true;
        if (lost && this.requests.hasLink) this.again.setIn(this.againMs);
        resolve(outcome.ok || lost ? RequestErr.OK : requestErr(outcome.failure));
      });
    });
  }
}
