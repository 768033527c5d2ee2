/**
 * The channels of a session: what the app wants, what the server is known to have, and the requests between the two.
 *
 * Whatever happens - a restored session, a lost answer, a join that timed out and was carried out all the same - each
 * channel is brought from what the server has to what the app wants, by the one function sync().
 */

import type { Tell } from "./callbacks.js";
import { Alarm, type Clock } from "./clock.js";
import { JoinErr, joinErr, LeaveErr, leaveErr, type Failure } from "./codes.js";
import type { Requests } from "./requests.js";
import { isName, type NewsFrame } from "./wire.js";

export const MAX_CHANNELS = 20;

interface Channel {
  readonly name: string;
  /** joining: the app waits for onJoinSuccess. leaving: it waits for onLeave. out: it knows that it is in no more. */
  app: "joining" | "joined" | "leaving" | "out";
  server: "in" | "out" | "unknown";
  asking: boolean;
  readonly joinTimeOut: Alarm;
  readonly again: Alarm;
}

export interface ChannelTimes {
  joinMs: number;
  /** A restoration that the server refused is tried again after so long. */
  againMs: number;
}

export class Channels {
  private readonly channels = new Map<string, Channel>();

  constructor(
    private readonly clock: Clock,
    private readonly times: ChannelTimes,
    private readonly requests: Requests,
    private readonly tell: Tell,
  ) {}

  join(name: string): JoinErr {
    if (!isName(name)) return JoinErr.INVALID_ARGUMENT;
    const channel = this.channels.get(name) ?? this.create(name);
    if (isWanted(channel)) return JoinErr.ALREADY_JOINED;
    if ([...this.channels.values()].filter(isWanted).length >= MAX_CHANNELS) return JoinErr.EXCEED_LIMIT;
    if (channel.app === "leaving") this.tell("onLeave", name, LeaveErr.OK); // it is left on the way into it again
    channel.app = "joining";
    channel.joinTimeOut.setIn(this.times.joinMs);
    this.channels.set(name, channel);
    this.sync(channel);
    return JoinErr.OK;
  }

  leave(name: string): LeaveErr {
    const channel = this.channels.get(name);
    if (channel?.app !== "joined") return LeaveErr.NOT_IN_CHANNEL;
    channel.app = "leaving";
    if (!this.requests.hasLink) this.left(channel);
    this.sync(channel);
    return LeaveErr.OK;
  }

  /** There is a link, on which the server has this client's channels or, where it was not resumed, none. */
  restore(resumed: boolean): void {
    for (const channel of [...this.channels.values()]) {
      if (!resumed) channel.server = "out";
      this.sync(channel);
    }
  }

  news(frame: Extract<NewsFrame, { channel: string }>): void {
    const app = this.channels.get(frame.channel)?.app;
    if (app !== "joined" && app !== "leaving") return; // the app is not in it, though the server may think so
    if (frame.type === "member_joined") this.tell("onMemberJoined", frame.channel, frame.uid);
    else if (frame.type === "member_left") this.tell("onMemberLeft", frame.channel, frame.uid);
    else this.tell("onMessageReceived", frame.channel, frame.sender, frame.text);
  }

  end(): void {
    for (const channel of this.channels.values()) this.quiet(channel);
    this.channels.clear();
  }

  private create(name: string): Channel {
    const channel: Channel = {
      name,
      app: "out",
      server: "out",
      asking: false,
      joinTimeOut: new Alarm(this.clock, () => this.joinFailed(channel, JoinErr.JOIN_CHANNEL_TIMEOUT)),
      again: new Alarm(this.clock, () => this.sync(channel)),
    };
    return channel;
  }

  /** Brings the server nearer to what the app wants: one request at a time, and the next when that is answered. */
  private sync(channel: Channel): void {
    if (channel.asking || channel.again.isSet || !this.requests.hasLink) return;
    if (isWanted(channel)) {
      if (channel.server !== "in") this.ask(channel, "join");
    } else if (channel.server !== "out") {
      this.ask(channel, "leave");
    } else {
      this.quiet(channel);
      this.channels.delete(channel.name);
    }
  }

  private ask(channel: Channel, type: "join" | "leave"): void {
    channel.asking = true;
    this.requests.send({ type, channel: channel.name }, "bound", (outcome) => {
      channel.asking = false;
      const failure = outcome.ok ? undefined : outcome.failure;
      if (failure === "session_over") return;
      if (failure === "link_lost" || failure === "timed_out") this.unanswered(channel);
      else if (type === "join") this.joinAnswered(channel, failure);
      else this.leaveAnswered(channel, failure);
      this.sync(channel);
    });
  }

  private joinAnswered(channel: Channel, failure: Failure | undefined): void {
    channel.server = failure === undefined || failure === "already_joined" ? "in" : "out";
    if (channel.server === "in" && channel.app === "joining") {
      channel.app = "joined";
      channel.joinTimeOut.clear();
      this.tell("onJoinSuccess", channel.name);
    } else if (failure !== undefined && channel.server === "out") {
      if (channel.app === "joining") this.joinFailed(channel, joinErr(failure));
      if (channel.app === "leaving") this.left(channel);
      // A channel that could not be restored is still one that the app takes for joined.
      if (channel.app === "joined") channel.again.setIn(this.times.againMs);
    }
  }

  private leaveAnswered(channel: Channel, failure: Failure | undefined): void {
    channel.server = failure === undefined || failure === "not_in_channel" ? "out" : "unknown";
    if (channel.app === "leaving") {
      this.left(channel, failure === undefined || channel.server === "out" ? LeaveErr.OK : leaveErr(failure));
    }
    if (channel.server === "unknown") channel.again.setIn(this.times.againMs);
  }

  /** Whether the request that was lost has been carried out is not known. */
  private unanswered(channel: Channel): void {
    channel.server = "unknown";
    if (channel.app === "leaving") this.left(channel);
  }

  private left(channel: Channel, code: LeaveErr = LeaveErr.OK): void {
    channel.app = "out";
    this.tell("onLeave", channel.name, code);
  }

  private joinFailed(channel: Channel, code: JoinErr): void {
    channel.app = "out";
    channel.joinTimeOut.clear();
    this.tell("onJoinFailure", channel.name, code);
    this.sync(channel);
  }

  private quiet(channel: Channel): void {
    channel.joinTimeOut.clear();
    channel.again.clear();
  }
}

const isWanted = (channel: Channel): boolean => channel.app === "joining" || channel.app === "joined";
