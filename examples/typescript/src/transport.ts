/** A way to the server: the one file that knows of WebSockets. */

import { WebSocket } from "ws";
import { MAX_FRAME_BYTES, SUBPROTOCOL } from "./wire.js";

export interface SocketHandlers {
  onOpen(): void;
  onText(text: string): void;
  /** It is closed, or never came to be. Nothing comes after this. */
  onClose(): void;
}

export interface Socket {
  send(text: string): void;
  /** Lets what was sent go out, then closes. */
  close(): void;
  /** Closes at once. */
  destroy(): void;
}

/** Begins to connect, and returns at once. The handlers are never called from inside. */
export type Dial = (url: string, handlers: SocketHandlers) => Socket;

/** How long a peer has for its half of the closing handshake. Behind a silent link it never comes. */
const CLOSING_MS = 250;

export const dialWebSocket: Dial = (url, handlers) => {
  const socket = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false, maxPayload: MAX_FRAME_BYTES });
  socket.on("open", () => handlers.onOpen());
  // A binary message is no frame; as text it is none either, and ends the connection as such.
  socket.on("message", (data, isBinary) => handlers.onText(isBinary ? "" : data.toString()));
  socket.on("close", () => handlers.onClose());
  socket.on("error", () => undefined); // 'close' always follows it, and says all that a client needs to know
  return {
    send: (text) => socket.send(text),
    close: () => {
      if (socket.readyState === WebSocket.CONNECTING) return socket.terminate();
      const timer = setTimeout(() => socket.terminate(), CLOSING_MS);
      socket.once("close", () => clearTimeout(timer));
      socket.close(1000);
    },
    destroy: () => socket.terminate(),
  };
};
