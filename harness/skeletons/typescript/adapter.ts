// A linkproof adapter: requests come on standard input, answers and events go to standard output, a line each.
import { createInterface } from "node:readline";

type Args = Record<string, any>;
const NOT_INITIALIZED = 101; // what login() says as long as there is no SDK
// Declare what is true, and each capability once its calls are there: "channels", "messages", ...
const HELLO = {
  contract: 1, name: "my-sdk", version: "0", language: "typescript", heartbeat_s: 0.5, retry_s: 1.0,
  capabilities: [] as string[],
};

const nowNs = (): number => Number(process.hrtime.bigint());
const say = (message: Args): boolean => process.stdout.write(JSON.stringify(message) + "\n");

// Report a callback. Take nowNs() first thing inside it.
export function event(name: string, at_ns: number, args: Args): void {
  say({ event: name, at_ns, args });
}

// The SDK goes here: make it in the constructor without connecting, and call event() in each of its callbacks.
class Client {
  constructor(readonly url: string, readonly appId: string) {}

  // Return { code: sdk.login(token, uid) }; its outcome follows as events.
  login(_args: Args): Args {
    return { code: NOT_INITIALIZED };
  }

  // Return { code: sdk.logout() }. Write the other calls like these two; where the SDK answers later, await it.
  logout(_args: Args): Args {
    return { code: NOT_INITIALIZED };
  }
}

let client: Client | undefined;

async function carryOut(call: string, args: Args): Promise<Args> {
  if (call === "hello") return HELLO;
  if (call === "clock") return { now_ns: nowNs() };
  if (call === "create") {
    if (client) throw new Error("there is a client already");
    client = new Client(args.url, args.app_id);
    return {};
  }
  if (call !== "login" && call !== "logout") throw new Error("unsupported");
  if (!client) throw new Error(`${call} before create`);
  return client[call](args);
}

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, call, args } = JSON.parse(line);
  try {
    const result = await carryOut(call, args);
    say({ id, at_ns: nowNs(), result });
  } catch (error) {
    say({ id, at_ns: nowNs(), error: (error as Error).message });
  }
}).on("close", () => process.exit(0)); // the end of standard input: finish, whatever the SDK still holds open
