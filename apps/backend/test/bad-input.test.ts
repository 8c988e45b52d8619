import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { inboundParams, signTwilioRequest } from "@jobrun/simulator";
import {
  createWorld,
  CUSTOMER,
  DEMO_NUMBER,
  post,
  type Answer,
  type RunningGateway,
  type World,
} from "./harness.ts";

let world: World;
let gateway: RunningGateway;

beforeAll(async () => {
  world = await createWorld();
  gateway = await world.startGateway();
});
afterAll(() => world.close());

/** Posts exactly these parameters, signed. */
function postSigned(params: Record<string, string>, path = "/sms"): Promise<Answer> {
  const signature = signTwilioRequest(
    world.simulator.authToken,
    `https://gateway.example.com${path}`,
    params,
  );
  return post(gateway.url + path, new URLSearchParams(params), { "x-twilio-signature": signature });
}

function valid(): Record<string, string> {
  return inboundParams({
    from: CUSTOMER,
    to: DEMO_NUMBER,
    body: "hello",
    accountSid: world.simulator.accountSid,
  });
}

function without(name: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(valid()).filter(
      ([key]) =>
        key !== name && !(name === "MessageSid" && key.endsWith("Sid") && key !== "AccountSid"),
    ),
  );
}

async function expectRefusal(
  answer: Answer,
  status: number,
  code: unknown = expect.any(String),
): Promise<void> {
  expect(answer.status).toBe(status);
  expect(answer.contentType).toContain("application/json");
  expect(JSON.parse(answer.body)).toEqual({
    error: { code, message: expect.any(String), requestId: expect.any(String) },
  });
  expect(answer.body).not.toMatch(/\bat .*:\d+:\d+|node_modules|\.ts\b/);
  const line = await gateway.logged(
    (entry) => entry["requestId"] === JSON.parse(answer.body).error.requestId,
  );
  expect(line).toMatchObject({ level: "warn", status });
  expect(await world.query('SELECT 1 FROM "Message"')).toEqual([]);
}

describe("a webhook that is not what Twilio would send is refused, logged, and stores nothing", () => {
  it("403 without a signature", async () =>
    expectRefusal(await gateway.text({ signature: null }), 403));
  it("403 with a forged signature", async () =>
    expectRefusal(await gateway.text({ signature: "Zm9yZ2VkZm9yZ2VkZm9yZ2Vk" }), 403));
  it("403 with the signature of another message", async () => {
    const other = signTwilioRequest(
      world.simulator.authToken,
      "https://gateway.example.com/sms",
      valid(),
    );
    await expectRefusal(await gateway.text({ body: "something else", signature: other }), 403);
  });
  it("403 with a signature made for another path", async () => {
    const params = valid();
    const signature = signTwilioRequest(
      world.simulator.authToken,
      "https://gateway.example.com/sms/fallback",
      params,
    );
    await expectRefusal(
      await post(`${gateway.url}/sms`, new URLSearchParams(params), {
        "x-twilio-signature": signature,
      }),
      403,
    );
  });
  it("403 for another account, though it is validly signed", async () =>
    expectRefusal(await postSigned({ ...valid(), AccountSid: `AC${"9".repeat(32)}` }), 403));
  it.each(["From", "MessageSid", "To"])("400 without %s", async (name) =>
    expectRefusal(await postSigned(without(name)), 400),
  );
  it("413 for a body of 10 MB", async () =>
    expectRefusal(
      await post(`${gateway.url}/sms`, `Body=${"x".repeat(10 * 1024 * 1024)}`),
      413,
      "too_large",
    ));
  it("413 for 1,000 parameters", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`Parameter${index}`, "x"]),
    );
    await expectRefusal(await postSigned({ ...valid(), ...many }), 413, "too_large");
  });
  it("403 for a broken percent-sequence in an unsigned form", async () =>
    expectRefusal(await post(`${gateway.url}/sms`, "From=%E0%A4%A&Body=%&MessageSid=SM1"), 403));
  it("403 for a broken percent-sequence in the query", async () =>
    expectRefusal(await post(`${gateway.url}/sms?m=%E0%A4%A`, "Body=x"), 403));
  it("403 for JSON instead of a form", async () =>
    expectRefusal(
      await post(`${gateway.url}/sms`, "{}", { "content-type": "application/json" }),
      403,
    ));
  it("415 for a charset nobody uses", async () =>
    expectRefusal(
      await post(`${gateway.url}/sms`, "Body=x", {
        "content-type": "application/x-www-form-urlencoded; charset=klingon",
      }),
      415,
      "unsupported",
    ));
});

it.each([
  ["GET", "/sms", "POST"],
  ["PUT", "/sms/fallback", "POST"],
  ["GET", "/api/twilio/sms", "POST"],
  ["GET", "/api/twilio/voice", "POST"],
  ["DELETE", "/api/twilio/status", "POST"],
  ["GET", "/api/twilio/dial-result", "POST"],
  ["GET", "/api/twilio/message-status", "POST"],
  ["PUT", "/api/v1/whatsapp/webhook", "GET, POST"],
  ["POST", "/health", "GET"],
  ["POST", "/metrics", "GET"],
  ["PUT", "/api/v1/tenants", "POST, GET"],
])("%s %s is answered with the methods that there are", async (method, path, allowed) => {
  const response = await fetch(gateway.url + path, { method });
  expect([response.status, response.headers.get("allow")]).toEqual([405, allowed]);
  expect(await response.json()).toMatchObject({ error: { code: "method_not_allowed" } });
});

it("a path that nothing is at is answered with 404, whatever the method", async () => {
  for (const method of ["GET", "POST"])
    expect((await fetch(`${gateway.url}/nothing`, { method })).status).toBe(404);
});

describe("a webhook with unusual but valid content", () => {
  it("is processed with emoji, umlauts, NUL and unknown parameters", async () => {
    const answer = await postSigned({
      ...valid(),
      MessageSid: "SMunusual",
      Body: "Gr\u00fc\u00dfe \u{1f6b0}\u0000 100%",
      Brand: "New",
      Empty: "",
    });
    expect(answer.status).toBe(200);
    expect(
      await world.query(`SELECT body FROM "Message" WHERE "providerMessageId" = 'SMunusual'`),
    ).toEqual([{ body: "Gr\u00fc\u00dfe \u{1f6b0} 100%" }]);
  });

  it("survives a client that hangs up in the middle of its request", async () => {
    const { hostname, port } = new URL(gateway.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          "POST /sms HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\nFrom=",
        );
        socket.destroy();
      });
      socket.on("close", () => resolve());
    });
    expect((await fetch(`${gateway.url}/live`)).status).toBe(200);
  });
});
