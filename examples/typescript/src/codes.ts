/** The published numbers (docs/spec.md), and how the server's refusals translate into them. */

export const ConnectionState = { DISCONNECTED: 1, CONNECTING: 2, CONNECTED: 3, RECONNECTING: 4, ABORTED: 5 } as const;
export type ConnectionState = (typeof ConnectionState)[keyof typeof ConnectionState];

export const Reason = {
  LOGIN: 1,
  LOGIN_SUCCESS: 2,
  LOGIN_FAILURE: 3,
  LOGIN_TIMEOUT: 4,
  INTERRUPTED: 5,
  LOGOUT: 6,
  BANNED_BY_SERVER: 7,
  REMOTE_LOGIN: 8,
} as const;
export type Reason = (typeof Reason)[keyof typeof Reason];

export const LoginErr = {
  OK: 0,
  UNKNOWN: 1,
  REJECTED: 2,
  INVALID_ARGUMENT: 3,
  INVALID_APP_ID: 4,
  INVALID_TOKEN: 5,
  TOKEN_EXPIRED: 6,
  NOT_AUTHORIZED: 7,
  ALREADY_LOGGED_IN: 8,
  TIMEOUT: 9,
  TOO_OFTEN: 10,
} as const;
export type LoginErr = (typeof LoginErr)[keyof typeof LoginErr];

export const LogoutErr = { OK: 0, USER_NOT_LOGGED_IN: 102 } as const;
export type LogoutErr = (typeof LogoutErr)[keyof typeof LogoutErr];

export const RenewTokenErr = {
  OK: 0,
  FAILURE: 1,
  INVALID_ARGUMENT: 2,
  REJECTED: 3,
  TOO_OFTEN: 4,
  TOKEN_EXPIRED: 5,
  INVALID_TOKEN: 6,
  USER_NOT_LOGGED_IN: 102,
} as const;
export type RenewTokenErr = (typeof RenewTokenErr)[keyof typeof RenewTokenErr];

export const JoinErr = {
  OK: 0,
  FAILURE: 1,
  REJECTED: 2,
  INVALID_ARGUMENT: 3,
  JOIN_CHANNEL_TIMEOUT: 4,
  EXCEED_LIMIT: 5,
  ALREADY_JOINED: 6,
  TOO_OFTEN: 7,
  USER_NOT_LOGGED_IN: 102,
} as const;
export type JoinErr = (typeof JoinErr)[keyof typeof JoinErr];

export const LeaveErr = { OK: 0, FAILURE: 1, REJECTED: 2, NOT_IN_CHANNEL: 3, USER_NOT_LOGGED_IN: 102 } as const;
export type LeaveErr = (typeof LeaveErr)[keyof typeof LeaveErr];

/**
 * What messages, questions and attributes come to. The rules publish no numbers for these: they are what
 * docs/wire-protocol.md ('What the app is told') says of the reference.
 */
export const RequestErr = {
  OK: 0,
  FAILURE: 1,
  REJECTED: 2,
  INVALID_ARGUMENT: 3,
  TIMEOUT: 4,
  TOO_OFTEN: 7,
  USER_NOT_LOGGED_IN: 102,
} as const;
export type RequestErr = (typeof RequestErr)[keyof typeof RequestErr];

/** A code of the wire (docs/wire-protocol.md, 'Codes'). A server may know more of them than this client does. */
export type WireCode = string;

/** Why a request came to nothing: the server's code, or what happened to it on this side. */
export type Failure = WireCode | "timed_out" | "link_lost" | "session_over";

const LOGIN: Record<string, LoginErr> = {
  invalid_argument: LoginErr.INVALID_ARGUMENT,
  invalid_app_id: LoginErr.INVALID_APP_ID,
  invalid_token: LoginErr.INVALID_TOKEN,
  token_expired: LoginErr.TOKEN_EXPIRED,
  not_authorized: LoginErr.NOT_AUTHORIZED,
  rejected: LoginErr.REJECTED,
  too_often: LoginErr.TOO_OFTEN,
  superseded: LoginErr.REJECTED,
  banned: LoginErr.REJECTED,
};

const RENEW: Record<string, RenewTokenErr> = {
  invalid_argument: RenewTokenErr.INVALID_ARGUMENT,
  invalid_token: RenewTokenErr.INVALID_TOKEN,
  token_expired: RenewTokenErr.TOKEN_EXPIRED,
  not_authorized: RenewTokenErr.REJECTED,
  rejected: RenewTokenErr.REJECTED,
  too_often: RenewTokenErr.TOO_OFTEN,
};

const JOIN: Record<string, JoinErr> = {
  invalid_argument: JoinErr.INVALID_ARGUMENT,
  not_authorized: JoinErr.REJECTED,
  rejected: JoinErr.REJECTED,
  exceed_limit: JoinErr.EXCEED_LIMIT,
  too_often: JoinErr.TOO_OFTEN,
};

const LEAVE: Record<string, LeaveErr> = { rejected: LeaveErr.REJECTED, not_authorized: LeaveErr.REJECTED };

const REQUEST: Record<string, RequestErr> = {
  invalid_argument: RequestErr.INVALID_ARGUMENT,
  rejected: RequestErr.REJECTED,
  not_authorized: RequestErr.REJECTED,
  not_in_channel: RequestErr.REJECTED,
  exceed_limit: RequestErr.REJECTED,
  too_often: RequestErr.TOO_OFTEN,
  timed_out: RequestErr.TIMEOUT,
  session_over: RequestErr.USER_NOT_LOGGED_IN,
};

export const loginErr = (code: WireCode): LoginErr => LOGIN[code] ?? LoginErr.UNKNOWN;
export const renewErr = (code: Failure): RenewTokenErr => RENEW[code] ?? RenewTokenErr.FAILURE;
export const joinErr = (code: Failure): JoinErr => JOIN[code] ?? JoinErr.FAILURE;
export const leaveErr = (code: Failure): LeaveErr => LEAVE[code] ?? LeaveErr.FAILURE;
export const requestErr = (code: Failure): RequestErr => REQUEST[code] ?? RequestErr.FAILURE;
