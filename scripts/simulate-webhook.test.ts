import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

const SCRIPT = fileURLToPath(new URL("simulate-webhook.ts", import.meta.url));
const SECRETS = { WHATSAPP_APP_SECRET: "", WHATSAPP_WEBHOOK_SECRET: "" };

let gateway: Server;
let url: string;
let received: { path: string | undefined; signature: unknown; body: string }[];
let status: number;

beforeEach(async () => {
  received = [];
  status = 200;
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const signature = request.headers["x-hub-signature-256"];
    received.push({ path: request.url, signature, body: await text(request) });
    response.writeHead(status).end('{"status":"ok"}');
  };
  gateway = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve) => gateway.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
});

afterEach(() => {
  gateway.close();
  gateway.closeAllConnections();
});

/** As it is started from the command line, without the condition that finds the packages' sources. */
async function run(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    env: { PATH: process.env["PATH"], WHATSAPP_PHONE_NUMBER_ID: "", ...SECRETS, ...env },
  });
  const [out, problem, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once("close", resolve)),
  ]);
  return { out, problem, code };
}

interface Value {
  metadata: unknown;
  messages: unknown[];
}
const values = () =>
  received.map(({ body }) => {
    const { entry } = JSON.parse(body) as { entry: { changes: { value: Value }[] }[] };
    return entry[0]?.changes[0]?.value;
  });

describe("simulate-webhook", () => {
  it("sends the demo's customer to the simulator's number and prints the answer", async () => {
    const { code, out } = await run(["Bonjour,", "ceci est un test", "--url", url]);
    expect(values()).toMatchObject([
      {
        metadata: { phone_number_id: "106540352242922" },
        messages: [{ from: "33612345678", text: { body: "Bonjour, ceci est un test" } }],
      },
    ]);
    expect(received[0]).toMatchObject({ path: "/api/v1/whatsapp/webhook", signature: undefined });
    expect(out).toContain('HTTP 200 {"status":"ok"}');
    expect(code).toBe(0);
  });

  it("sends who, where to and what it is told, signed over the escaped bytes", async () => {
    const who = ["--phone", "33700000001", "--user-id", "FR.1", "--to", "200", "--id", "wamid.7"];
    const env = { WHATSAPP_APP_SECRET: "secret, older", WHATSAPP_PHONE_NUMBER_ID: "300" };
    await run(["Une réparation", ...who, "--url", `${url}/elsewhere`], env);
    expect(values()).toMatchObject([
      {
        metadata: { phone_number_id: "200" },
        messages: [{ from: "33700000001", from_user_id: "FR.1", id: "wamid.7" }],
      },
    ]);
    const [request] = received;
    expect(request?.body).toContain("r\\u00e9paration");
    const hex = createHmac("sha256", "secret")
      .update(request?.body ?? "")
      .digest("hex");
    expect(request).toMatchObject({ path: "/elsewhere", signature: `sha256=${hex}` });
  });

  it("sends several, each with an id of its own", async () => {
    await run(["Message rapide", "--count", "3", "--delay", "1", "--url", url]);
    const messages = values().flatMap((value) => value?.messages as { id: string }[]);
    expect(new Set(messages.map(({ id }) => id)).size).toBe(3);
  });

  it.each([
    [500, "run this again with the same --id"],
    [401, "Set WHATSAPP_APP_SECRET in .env"],
    [410, "check --url"],
    [202, "The gateway refused it"],
  ])("says what to do when the answer is %i, and fails", async (given, advice) => {
    status = given;
    const { code, out, problem } = await run(["Bonjour", "--url", url]);
    expect(out).toContain(`HTTP ${given}`);
    expect(problem).toContain(advice);
    expect(code).toBe(1);
  });

  it("says what to do when there is no gateway, and fails", async () => {
    gateway.close();
    const { code, out, problem } = await run(["Bonjour", "--url", url]);
    expect(out).toContain("ECONNREFUSED");
    expect(problem).toContain("npm start");
    expect(code).toBe(1);
  });

  it.each([
    [[], "say what to write"],
    [["--phone", "0612345678", "Hi"], "--phone takes a number such as"],
    [["--to", "+447987654321", "Hi"], "--to takes a phone_number_id"],
    [["--count", "2", "--id", "wamid.1", "Hi"], "--id names one message"],
    [["--delay", "soon", "Hi"], "--delay takes a whole number from 0"],
    [["--url", "here", "Hi"], "--url takes an address"],
    [["--nope", "Hi"], "--nope"],
  ])("is refused before anything is sent: %j", async (args, reason) => {
    const { code, problem } = await run(["--url", url, ...args]);
    expect(problem.trimEnd().split("\n").at(-1)).toContain(reason);
    expect({ code, received }).toEqual({ code: 1, received: [] });
  });
});
