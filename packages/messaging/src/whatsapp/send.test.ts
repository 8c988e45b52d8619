import { getEventListeners } from "node:events";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { describe, expect, it } from "@jest/globals";
import type { Channel, OutboundMessage, SendOutcome } from "../channel.ts";
import { sendWithRetry } from "../retry.ts";
import { json, openDouble, text } from "../testing/http-double.ts";
import { CONTENTS } from "../testing/whatsapp-contents.ts";
import {
  acceptanceOf,
  HASTY_MS,
  OUTBOUND,
  refusalOf,
  WAMID,
  whatsAppWith,
} from "../testing/whatsapp-double.ts";

const channelAt = (url: string, attemptTimeoutMs?: number): Channel =>
  whatsAppWith({ WHATSAPP_API_URL: url, WHATSAPP_ACCESS_TOKEN: "token" }, attemptTimeoutMs);
/** What the gateway stores of a message that may be sent, and hands over later. */
function withContent(
  channel: Channel,
  input: Parameters<Channel["readContent"]>[0],
): OutboundMessage {
  const result = channel.readContent(input);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  const { type, payload = null, body } = result.content;
  return { ...OUTBOUND, body, content: { type, payload } };
}

const never = () => new AbortController().signal;
const acceptance = acceptanceOf();

describe("sending by WhatsApp", () => {
  it("asks Meta for our number, with the token and our own id", async () => {
    const double = await openDouble(acceptance);
    const outcome = await channelAt(double.url).send(OUTBOUND, never());
    expect(outcome).toEqual({ kind: "accepted", providerId: WAMID });
    expect(double.requests).toHaveLength(1);
    const { method, path, headers, body } = double.requests[0]!;
    expect(`${method} ${path}`).toBe("POST /v24.0/106540352242922/messages");
    expect(headers).toMatchObject({
      authorization: "Bearer token",
      "content-type": "application/json",
    });
    expect(JSON.parse(body)).toEqual({
      messaging_product: "whatsapp",
      recipient_type: "individual",
      to: "+447700900123",
      type: "text",
      text: { body: OUTBOUND.body, preview_url: false },
      biz_opaque_callback_data: OUTBOUND.id,
    });
  });

  it("writes to somebody without a number by their user id", async () => {
    const double = await openDouble(acceptance);
    const message = { ...OUTBOUND, to: "US.13491208655302741918" };
    await channelAt(double.url).send(message, never());
    const body = JSON.parse(double.requests[0]!.body);
    expect(body.recipient).toBe("US.13491208655302741918");
    expect(body).not.toHaveProperty("to");
  });

  it.each(CONTENTS)("hands over a message of the kind %s as it is: %j", async (type, value) => {
    const double = await openDouble(acceptance);
    const channel = channelAt(double.url);
    const message = withContent(channel, { type, [type]: value });
    expect(await channel.send(message, never())).toMatchObject({ kind: "accepted" });
    expect(JSON.parse(double.requests[0]!.body)).toEqual({
      messaging_product: "whatsapp",
      recipient_type: "individual",
      to: OUTBOUND.to,
      type,
      [type]: value,
      biz_opaque_callback_data: OUTBOUND.id,
    });
  });

  it("hands over which message it answers, and that a link is to be shown", async () => {
    const double = await openDouble(acceptance);
    const channel = channelAt(double.url);
    const words = { body: "https://example.com", preview_url: true };
    const context = { message_id: "wamid.A=" };
    await channel.send(withContent(channel, { type: "text", text: words, context }), never());
    expect(JSON.parse(double.requests[0]!.body)).toMatchObject({
      type: "text",
      text: words,
      context,
    });
  });

  it.each(["accepted", "held_for_quality_assessment", "paused", "unheard_of"])(
    "is accepted with an id and the status %s",
    async (status) => {
      const double = await openDouble(acceptanceOf({ id: WAMID, message_status: status }));
      const outcome = await channelAt(double.url).send(OUTBOUND, never());
      expect(outcome).toEqual({ kind: "accepted", providerId: WAMID });
    },
  );

  it.each([
    ["empty", text(200, "")],
    ["null", json(200, null)],
    ["half a document", text(200, '{"messages":[{"id":"wam')],
    ["without a message", json(200, { messages: [] })],
    ["without an id", json(200, { messages: [{}] })],
    ["with an id that cannot be stored", json(200, { messages: [{ id: "wamid.\0" }] })],
    ["for something else", json(200, { success: true })],
  ])("an acceptance that is %s is unknown", async (_name, answer) => {
    const double = await openDouble(answer);
    const outcome = await channelAt(double.url).send(OUTBOUND, never());
    expect(outcome).toEqual({ kind: "unknown", code: "unreadable-200" });
  });

  it("names the cause when no answer came", async () => {
    const silent = await openDouble(() => {});
    const resetting = await openDouble((_response, request) => request.socket.resetAndDestroy());
    const closing = await openDouble((_response, request) => request.socket.destroy());
    const cutOff = await openDouble((response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write('{"messages":', () => response.destroy());
    });
    const stalling = await openDouble((response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write('{"messages":');
    });
    const send = (url: string, ms?: number): Promise<SendOutcome> =>
      channelAt(url, ms).send(OUTBOUND, never());
    expect(await send(silent.url, HASTY_MS)).toEqual({ kind: "unknown", code: "timeout" });
    expect(await send(stalling.url, HASTY_MS)).toEqual({ kind: "unknown", code: "timeout" });
    expect(await send(resetting.url)).toEqual({ kind: "unknown", code: "reset" });
    expect(await send(closing.url)).toEqual({ kind: "unknown", code: "reset" });
    expect(await send(cutOff.url)).toEqual({ kind: "unknown", code: "reset" });
  });

  it("is unavailable when certainly nothing was sent", async () => {
    const closed = await openDouble(() => {});
    await closed.close();
    const plain = await openDouble(acceptance);
    const hangingUp = createTcpServer((socket) => socket.once("data", () => socket.destroy()));
    await new Promise<void>((resolve) => hangingUp.listen(0, "127.0.0.1", resolve));
    const { port } = hangingUp.address() as AddressInfo;
    const send = (url: string): Promise<SendOutcome> => channelAt(url).send(OUTBOUND, never());
    const interrupted = await send(`https://127.0.0.1:${port}`);
    hangingUp.close();
    expect(interrupted).toEqual({ kind: "unavailable", code: "econnreset" });
    expect(await send(closed.url)).toEqual({ kind: "unavailable", code: "econnrefused" });
    expect(await send("http://nobody.invalid")).toMatchObject({ kind: "unavailable" });
    expect(await send(plain.url.replace("http:", "https:"))).toMatchObject({ kind: "unavailable" });
    expect(plain.requests).toEqual([]);
  });

  it("has all sends of a batch on their way at once", async () => {
    const waiting: (() => void)[] = [];
    const double = await openDouble((response) => {
      waiting.push(() => acceptance(response));
      if (waiting.length === 64) for (const goOn of waiting) goOn();
    });
    const channel = channelAt(double.url);
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, (_none, index) =>
        channel.send({ ...OUTBOUND, to: `+4477009001${index + 10}` }, never()),
      ),
    );
    expect(outcomes.every(({ kind }) => kind === "accepted")).toBe(true);
  });

  it("carries the credentials to no other address", async () => {
    const other = await openDouble(acceptance);
    const double = await openDouble((response) => {
      response.writeHead(307, { location: `${other.url}/` });
      response.end();
    });
    const outcome = await channelAt(double.url).send(OUTBOUND, never());
    expect(outcome).toEqual({ kind: "unknown", code: "http-307" });
    expect(other.requests).toEqual([]);
  });

  it("leaves nothing behind on a signal that outlives it", async () => {
    const double = await openDouble(acceptance);
    const { signal } = new AbortController();
    const channel = channelAt(double.url);
    await Promise.all([channel.send(OUTBOUND, signal), channel.send(OUTBOUND, signal)]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("uses its connections again", async () => {
    const ports = new Set<number | undefined>();
    const double = await openDouble((response, request) => {
      ports.add(request.socket.remotePort);
      acceptance(response);
    });
    const channel = channelAt(double.url);
    for (let count = 0; count < 20; count += 1) await channel.send(OUTBOUND, never());
    expect(ports.size).toBeLessThan(5);
  });

  it("keeps the pair rate before Meta has to, and asks for 4^n seconds", async () => {
    const double = await openDouble(acceptance);
    const channel = channelAt(double.url);
    const outcomes: SendOutcome[] = [];
    for (let count = 0; count < 46; count += 1)
      outcomes.push(await channel.send(OUTBOUND, never()));
    expect(outcomes.slice(0, 45).every(({ kind }) => kind === "accepted")).toBe(true);
    expect(outcomes[45]).toEqual({
      kind: "unavailable",
      code: "pair-rate",
      about: "recipient",
      waitBaseSeconds: 4,
    });
    expect(double.requests).toHaveLength(45);
    const other = { ...OUTBOUND, to: "+447700900124" };
    expect(await channel.send(other, never())).toMatchObject({ kind: "accepted" });
  });

  it("is accepted on the second attempt after an unavailable one, and sent once", async () => {
    const double = await openDouble((response, _request, count) =>
      (count === 1 ? refusalOf(503, 131016) : acceptance)(response),
    );
    const options = { signal: never(), delaysMs: [1, 1, 1] };
    const outcome = await sendWithRetry(channelAt(double.url), OUTBOUND, options);
    expect(outcome).toMatchObject({ kind: "accepted" });
    expect(double.requests).toHaveLength(2);
  });
});

describe("marking as read", () => {
  const marking = { type: "mark_read", mark_read: { message_id: WAMID, typing: true } };

  it("says which message, and has an id of ours", async () => {
    const double = await openDouble(json(200, { success: true }));
    const channel = channelAt(double.url);
    expect(await channel.send(withContent(channel, marking), never())).toEqual({
      kind: "accepted",
      providerId: `read:${OUTBOUND.id}`,
    });
    expect(JSON.parse(double.requests[0]!.body)).toEqual({
      messaging_product: "whatsapp",
      status: "read",
      message_id: WAMID,
      typing_indicator: { type: "text" },
    });
  });

  it("is unknown when Meta does not say so", async () => {
    const double = await openDouble(json(200, { success: false }));
    const channel = channelAt(double.url);
    const outcome = await channel.send(withContent(channel, marking), never());
    expect(outcome).toEqual({ kind: "unknown", code: "unreadable-200" });
  });

  it("takes nothing of the pair rate: it is no message", async () => {
    const double = await openDouble(json(200, { success: true }));
    const channel = channelAt(double.url);
    const message = withContent(channel, marking);
    const kinds = new Set<string>();
    for (let count = 0; count < 46; count += 1) {
      kinds.add((await channel.send(message, never())).kind);
    }
    expect([...kinds]).toEqual(["accepted"]);
  });
});
