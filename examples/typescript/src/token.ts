/** The token of a session: which one the next login uses, when it expires, and what becomes of a new one. */

import type { Tell } from "./callbacks.js";
import { Alarm, type Clock } from "./clock.js";
import { renewErr, RenewTokenErr, type WireCode } from "./codes.js";
import type { Requests } from "./requests.js";

const ABOUT_THE_TOKEN: readonly WireCode[] = ["invalid_token", "token_expired", "not_authorized"];

interface Renewal {
  readonly token: string;
}

export class Token {
  private expiryWasTold = false;
  private readonly expiry: Alarm;
  /** New tokens of which the server has not said whether they will do, oldest first. */
  private renewals: Renewal[] = [];

  constructor(
    clock: Clock,
    private current: string,
    private readonly requests: Requests,
    private readonly tell: Tell,
  ) {
    this.expiry = new Alarm(clock, () => this.expired());
  }

  /** What the next login is made with: the newest one that was not refused. */
  get forLogin(): string {
    return this.renewals.at(-1)?.token ?? this.current;
  }

  /** Puts a new one in the place of this one: on the link, or else by the login that comes next. */
  renew(token: string): void {
    const renewal = { token };
    this.renewals.push(renewal);
    this.ask(renewal);
  }

  /** There is a link: what the login on it has not settled is asked there. */
  restore(): void {
    for (const renewal of this.renewals) this.ask(renewal);
  }

  /** The server let a login with this token in. */
  accepted(token: string, expiresInS: number | null | undefined): void {
    const last = this.renewals.findLastIndex((renewal) => renewal.token === token);
    for (const renewal of this.renewals.slice(0, last + 1)) {
      this.settle(renewal, renewal.token === token ? RenewTokenErr.OK : RenewTokenErr.REJECTED);
    }
    this.adopt(token, expiresInS);
  }

  /** The server refused a login with this token. */
  refused(token: string, code: WireCode): void {
    if (!ABOUT_THE_TOKEN.includes(code)) return;
    const renewal = this.renewals.find((one) => one.token === token);
    if (renewal !== undefined) this.settle(renewal, renewErr(code));
    else if (token === this.current && code === "token_expired") this.expired();
  }

  end(): void {
    this.expiry.clear();
  }

  private ask(renewal: Renewal): void {
    if (!this.requests.hasLink) return;
    this.requests.send({ type: "renew_token", token: renewal.token }, "bound", (outcome) => {
      if (!this.renewals.includes(renewal)) return; // a login on another link was quicker
      if (outcome.ok) {
        this.settle(renewal, RenewTokenErr.OK);
        this.adopt(renewal.token, outcome.answer.type === "done" ? outcome.answer.token_expires_in_s : undefined);
      } else if (outcome.failure !== "link_lost" && outcome.failure !== "session_over") {
        this.settle(renewal, renewErr(outcome.failure));
      }
    });
  }

  private adopt(token: string, expiresInS: number | null | undefined): void {
    if (token !== this.current) this.expiryWasTold = false;
    this.current = token;
    this.expiry.clear();
    if (expiresInS != null && !this.expiryWasTold) this.expiry.setIn(1000 * expiresInS);
  }

  private expired(): void {
    this.expiry.clear();
    if (this.expiryWasTold) return;
    this.expiryWasTold = true;
    this.tell("onTokenExpired");
  }

  private settle(renewal: Renewal, code: RenewTokenErr): void {
    this.renewals = this.renewals.filter((one) => one !== renewal);
    this.tell("onRenewTokenResult", renewal.token, code);
  }
}
