import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import twilio from "twilio";
import { startSimulator } from "./index.ts";
import type { Simulator } from "./index.ts";
import { openServer, type TestServer } from "./testing/open-server.ts";

const CUSTOMER = "+447123456789";
const BUSINESS = "+447987654321";

interface Received {
  path: string;
  params: Record<string, string>;
  headers: IncomingMessage["headers"];
}

let simulator: Simulator;
const gateways: TestServer[] = [];

beforeEach(async () => {
  simulator = await startSimulator();
});

afterEach(async () => {
  await simulator.close();
  for (const running of gateways.splice(0)) running.close();
});

/** A gateway that answers each request with the next of `answers`, the last one for ever. */
async function gateway(...answers: ((response: ServerResponse) => void)[]) {
  const received: Received[] = [];
  const server = await openServer(async (request, response) => {
    const params = Object.fromEntries(new URLSearchParams(await text(request)));
    received.push({ path: request.url ?? "", params, headers: request.headers });
    (answers[received.length - 1] ?? answers.at(-1))?.(response);
  });
  gateways.push(server);
  return { url: server.url, received };
}

const answer = (status: number, contentType: string, body: string) => (response: ServerResponse) =>
  void response.writeHead(status, { "content-type": contentType }).end(body);
const fine = answer(200, "text/xml", "<Response/>");
const broken = answer(500, "text/html", "broken");
const silence = () => undefined;

const send = (webhookUrl: string, fallbackUrl?: string) =>
  simulator.text({
    from: CUSTOMER,
    to: BUSINESS,
    body: "Need a plumber & a ladder",
    webhookUrl,
    ...(fallbackUrl === undefined ? {} : { fallbackUrl }),
  });

describe("webhook retries", () => {
  it("does not retry a 500 by default: the message would be lost", async () => {
    const { url, received } = await gateway(broken, fine);
    const result = await send(`${url}/sms`);
    expect(received).toHaveLength(1);
    expect(result.final).toEqual({ status: 500, contentType: "text/html", body: "broken" });
  });

  it("retries a 500 when the fragment says rp=5xx, with the same idempotency token", async () => {
    const { url, received } = await gateway(broken, broken, fine);
    const result = await send(`${url}/sms#rc=2&rp=5xx`);
    expect(result.attempts.map(({ status }) => status)).toEqual([500, 500, 200]);
    const tokens = received.map(({ headers }) => headers["i-twilio-idempotency-token"]);
    expect(new Set(tokens).size).toBe(1);
  });

  it("stops after rc retries", async () => {
    const { url, received } = await gateway(broken);
    await send(`${url}/sms#rc=2&rp=5xx`);
    expect(received).toHaveLength(3);
  });

  it("retries a refused connection once by default", async () => {
    const { url } = await gateway(fine);
    gateways.pop()?.close();
    const result = await send(`${url}/sms`);
    expect(result.attempts).toHaveLength(2);
    expect(result.attempts[0]?.error).toContain("ECONNREFUSED");
    expect(result.final).toBeNull();
  });

  it("retries a silent gateway only with rp=rt", async () => {
    const { url, received } = await gateway(silence, fine);
    expect((await send(`${url}/sms#rt=1000`)).final).toBeNull();
    expect(received).toHaveLength(1);
    expect((await send(`${url}/sms#rt=1000&rp=rt`)).final?.status).toBe(200);
  });

  it("gives all attempts together no more than tt", async () => {
    const { url, received } = await gateway(silence);
    const result = await send(`${url}/sms#rc=5&rp=all&rt=1500&tt=2400`);
    expect(result.attempts.map(({ error }) => error)).toEqual([
      "no answer within 1500 ms",
      expect.stringMatching(/^no answer within \d{1,3} ms in all$/),
    ]);
    expect(received).toHaveLength(2);
  });

  it("does not retry an answer that broke off in the middle", async () => {
    const { url, received } = await gateway((response) => {
      response.writeHead(200, { "content-type": "text/xml", "content-length": "500" });
      response.write("<Resp", () => response.destroy());
    });
    expect((await send(`${url}/sms#rc=3&rp=all`)).final).toBeNull();
    expect(received).toHaveLength(1);
  });

  it("refuses a fragment Twilio would refuse", async () => {
    const { url } = await gateway(fine);
    await expect(send(`${url}/sms#rp=500`)).rejects.toThrow("11243");
    await expect(send(`${url}/sms#tt=20000`)).rejects.toThrow("tt=20000");
  });
});

describe("fallback URL", () => {
  it("is asked once, with ErrorCode, ErrorUrl and the same message id", async () => {
    const { url, received } = await gateway(broken, broken);
    const result = await send(`${url}/sms#rc=0`, `${url}/sms/fallback`);
    expect(received.map(({ path }) => path)).toEqual(["/sms", "/sms/fallback"]);
    expect(received[1]?.params).toEqual({
      ...received[0]?.params,
      ErrorCode: "11200",
      ErrorUrl: `${url}/sms`,
    });
    expect(result.attempts).toHaveLength(2);
  });

  it.each([
    { what: "JSON", reply: answer(200, "application/json", "{}"), code: "12300" },
    { what: "broken XML", reply: answer(200, "text/xml", "<Response>"), code: "12100" },
    { what: "no content type", reply: (r: ServerResponse) => void r.end(), code: "12300" },
    { what: "a time-out", reply: silence, code: "11205" },
  ])("is asked when the answer is $what ($code)", async ({ reply, code }) => {
    const { url, received } = await gateway(reply, fine);
    await send(`${url}/sms#rt=1000`, `${url}/sms/fallback`);
    expect(received[1]?.params["ErrorCode"]).toBe(code);
  });

  it("is left alone when the webhook was answered", async () => {
    const { url, received } = await gateway(fine);
    await send(`${url}/sms`, `${url}/sms/fallback`);
    expect(received).toHaveLength(1);
  });
});

describe("signature", () => {
  it("passes the SDK's check over the URL without its fragment, also for the fallback", async () => {
    const { url, received } = await gateway(broken, fine);
    await send(`${url}/sms?x=1#rc=0`, `${url}/sms/fallback`);
    expect(received).toHaveLength(2);
    for (const { path, params, headers } of received) {
      const signature = String(headers["x-twilio-signature"]);
      const valid = twilio.validateRequest(simulator.authToken, signature, url + path, params);
      expect(valid).toBe(true);
    }
  });
});

describe("answers that text the person", () => {
  it("counts a TwiML message, whatever characters the business's name has", async () => {
    const twiml = new twilio.twiml.MessagingResponse();
    twiml.message("Müller & Söhne <24h> 👋");
    const { url } = await gateway(answer(200, "text/xml", twiml.toString()));
    await send(`${url}/sms`);
    expect(simulator.sent()).toMatchObject([
      { from: BUSINESS, to: CUSTOMER, body: "Müller & Söhne <24h> 👋" },
    ]);
  });

  it("counts a plain-text 200, which Twilio sends as it is", async () => {
    const { url } = await gateway(answer(200, "text/plain", "OK"));
    await send(`${url}/sms`);
    expect(simulator.sent()).toMatchObject([{ to: CUSTOMER, body: "OK" }]);
  });

  it("counts nothing for an empty response, a 204 or a plain-text error", async () => {
    const { url } = await gateway(
      fine,
      (response) => void response.writeHead(204).end(),
      answer(500, "text/plain", "Message processing failed - will retry"),
    );
    for (let i = 0; i < 3; i++) await send(`${url}/sms`);
    expect(simulator.sent()).toEqual([]);
  });

  it("reads the Body noun, CDATA and numeric entities", async () => {
    const xml =
      '<?xml version="1.0"?><Response><Message to="+447700900123"><Body>A &#38; B</Body></Message><!-- < --><Message><![CDATA[<c>]]></Message></Response>';
    const { url } = await gateway(answer(200, "text/xml; charset=utf-8", xml));
    await send(`${url}/sms`);
    expect(simulator.sent()).toMatchObject([
      { to: "+447700900123", body: "A & B" },
      { to: CUSTOMER, body: "<c>" },
    ]);
  });
});
