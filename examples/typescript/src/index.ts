export type { Callbacks } from "./callbacks.js";
export { type ClientOptions, HEARTBEAT_MS, RETRY_MS, RtmClient } from "./client.js";
export * from "./codes.js";
export type { Attributes } from "./wire.js";
