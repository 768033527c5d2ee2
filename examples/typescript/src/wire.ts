/** The frames of docs/wire-protocol.md, and the values that they may carry. */

import type { WireCode } from "./codes.js";

export const SUBPROTOCOL = "rtm.v1";
export const MAX_FRAME_BYTES = 65536;

export type Attributes = Record<string, string>;

export interface LoginFrame {
  type: "login";
  app_id: string;
  uid: string;
  token: string;
  instance: string;
  attempt: number;
  resume?: string;
}

/** What is answered by its id. */
export type RequestBody =
  | { type: "renew_token"; token: string }
  | { type: "join" | "leave" | "get_members"; channel: string }
  | { type: "send_to_peer"; peer: string; text: string }
  | { type: "send_to_channel"; channel: string; text: string }
  | { type: "set_attributes" | "add_attributes"; attributes: Attributes }
  | { type: "delete_attributes"; keys: string[] }
  | { type: "get_attributes"; uid: string }
  | { type: "query_online"; uids: string[] };

export type ClientFrame = LoginFrame | { type: "ping"; n: number } | { type: "logout" } | (RequestBody & { id: number });

export interface LoggedInFrame {
  type: "logged_in";
  session: string;
  resumed: boolean;
  heartbeat_s: number;
  token_expires_in_s?: number | null;
}

/** What arrives without having been asked for, once logged in. */
export type NewsFrame =
  | { type: "member_joined"; channel: string; uid: string }
  | { type: "member_left"; channel: string; uid: string }
  | { type: "peer_message"; sender: string; text: string }
  | { type: "channel_message"; channel: string; sender: string; text: string };

export type AnswerFrame =
  | { type: "done"; id: number; token_expires_in_s?: number | null }
  | { type: "failed"; id: number; code: WireCode; why?: string }
  | { type: "members"; id: number; members: string[] }
  | { type: "attributes"; id: number; attributes: Attributes }
  | { type: "online"; id: number; online: Record<string, boolean> };

export type ServerFrame =
  | LoggedInFrame
  | { type: "refused"; code: WireCode; why?: string }
  | { type: "pong"; n: number }
  | { type: "ended"; reason: "remote_login" | "banned" }
  | AnswerFrame
  | NewsFrame;

/** What answers a request, where it does not fail. */
export const ANSWERS: Record<RequestBody["type"], AnswerFrame["type"]> = {
  renew_token: "done",
  join: "done",
  leave: "done",
  get_members: "members",
  send_to_peer: "done",
  send_to_channel: "done",
  set_attributes: "done",
  add_attributes: "done",
  delete_attributes: "done",
  get_attributes: "attributes",
  query_online: "online",
};

export const encode = (frame: ClientFrame): string => JSON.stringify(frame);

export const fits = (frame: ClientFrame): boolean => Buffer.byteLength(encode(frame)) <= MAX_FRAME_BYTES;

type Check = (value: unknown) => boolean;

const isString: Check = (value) => typeof value === "string";
const isNumber: Check = (value) => typeof value === "number" && Number.isFinite(value);
const isBoolean: Check = (value) => typeof value === "boolean";
const isOptionalNumber: Check = (value) => value === undefined || value === null || isNumber(value);
const isObjectOf =
  (check: Check): Check =>
  (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(check);
const isStrings: Check = (value) => Array.isArray(value) && value.every(isString);

const SHAPES: Record<ServerFrame["type"], Record<string, Check>> = {
  logged_in: {
    session: (value) => isString(value) && value !== "",
    resumed: isBoolean,
    heartbeat_s: (value) => isNumber(value) && (value as number) >= 0.01 && (value as number) <= 2,
    token_expires_in_s: isOptionalNumber,
  },
  refused: { code: isString },
  pong: { n: isNumber },
  ended: { reason: (value) => value === "remote_login" || value === "banned" },
  done: { id: isNumber, token_expires_in_s: isOptionalNumber },
  failed: { id: isNumber, code: isString },
  members: { id: isNumber, members: isStrings },
  attributes: { id: isNumber, attributes: isObjectOf(isString) },
  online: { id: isNumber, online: isObjectOf(isBoolean) },
  member_joined: { channel: isString, uid: isString },
  member_left: { channel: isString, uid: isString },
  peer_message: { sender: isString, text: isString },
  channel_message: { channel: isString, sender: isString, text: isString },
};

/** The frame that this text is; undefined where it is none of this protocol. */
export function decode(text: string): ServerFrame | undefined {
  let frame: Record<string, unknown>;
  try {
    frame = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined; // the caller closes the connection: that is all that can be done about it
  }
  if (!isObjectOf(() => true)(frame) || typeof frame["type"] !== "string") return undefined;
  if (!Object.hasOwn(SHAPES, frame["type"])) return undefined;
  const shape = SHAPES[frame["type"] as ServerFrame["type"]];
  const fieldsFit = Object.entries(shape).every(([name, check]) => check(frame[name]));
  return fieldsFit ? (frame as unknown as ServerFrame) : undefined;
}

/** Half a character cannot be sent. */
const isWellFormed = (value: string): boolean => value.isWellFormed();

const isText =
  (least: number, most: number) =>
  (value: string): boolean => {
    if (typeof value !== "string" || !isWellFormed(value)) return false;
    const characters = [...value].length; // characters of Unicode, not the units that .length counts
    return characters >= least && characters <= most;
  };

export const isName = isText(1, 64);
export const isToken = isText(1, 4096);
export const isMessage = isText(0, 32768);
const isAttributeValue = isText(0, 1024);

export const isNames = (values: string[]): boolean => values.length <= 256 && values.every(isName);

export const isAttributes = (attributes: Attributes): boolean =>
  Object.keys(attributes).length <= 32 && Object.entries(attributes).every(([k, v]) => isName(k) && isAttributeValue(v));
