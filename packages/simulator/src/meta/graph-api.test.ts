import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startSimulator } from "../index.ts";
import type { Simulator } from "../index.ts";

const PERSON = "+33612345678";
const OTHER = "+33612345679";

let simulator: Simulator;
let now: number;

beforeEach(async () => {
  now = Date.parse("2026-11-02T10:00:00Z");
  simulator = await startSimulator({ whatsApp: { now: () => now } });
});

afterEach(async () => {
  await simulator.close();
});

const bearer = () => ({ authorization: `Bearer ${simulator.whatsApp.accessToken}` });
const key = (apiKey = simulator.whatsApp.apiKey) => ({ "D360-API-KEY": apiKey });
const text = (to = PERSON, more: object = {}) => ({
  messaging_product: "whatsapp",
  to,
  type: "text",
  text: { body: "On our way" },
  ...more,
});

async function call(
  path: string,
  headers: Record<string, string>,
  body?: unknown,
  limitMs = 20_000,
) {
  const response = await fetch(simulator.whatsApp.apiUrl + path, {
    headers,
    signal: AbortSignal.timeout(limitMs),
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  const retryAfter = response.headers.get("retry-after");
  const content = await response.text();
  const json = content.startsWith("{") ? (JSON.parse(content) as unknown) : null;
  return { status: response.status, retryAfter, content, json };
}
const path = (id = simulator.whatsApp.phoneNumberId) => `/v24.0/${id}/messages`;
const send = (body: unknown = text(), limitMs?: number) => call(path(), bearer(), body, limitMs);
/** How long to wait for an answer that will not come. */
const HASTY_MS = 1500;

describe("a send", () => {
  it("is answered with who it reaches and shown with all that came with it", async () => {
    const { json } = await send(text("33612345678", { biz_opaque_callback_data: "our-id" }));
    const [sent] = await simulator.whatsApp.waitForSent(1, { to: PERSON });
    expect(json).toEqual({
      messaging_product: "whatsapp",
      contacts: [{ input: "33612345678", wa_id: "33612345678" }],
      messages: [{ id: sent?.wamid, message_status: "accepted" }],
    });
    expect(sent).toMatchObject({
      from: simulator.whatsApp.phoneNumberId,
      to: PERSON,
      recipient: null,
      type: "text",
      body: "On our way",
      messageId: "our-id",
      request: { to: "33612345678", type: "text" },
      at: now,
    });
  });

  it("to a user id names that and no number", async () => {
    const { json } = await send(text(undefined, { to: undefined, recipient: "US.1349" }));
    expect(json).toMatchObject({ contacts: [{ input: "US.1349", user_id: "US.1349" }] });
    expect(simulator.whatsApp.sent({ to: "US.1349" })).toMatchObject([{ recipient: "US.1349" }]);
  });

  it("goes from the number in the path, and at 360dialog from that of the key", async () => {
    const second = simulator.whatsApp.addNumber({
      phoneNumberId: "200",
      displayPhoneNumber: "447700900889",
    });
    await call(path("200"), bearer(), text());
    await call("/messages", key(second.apiKey), text());
    await call("/messages", key(), text());
    const from = simulator.whatsApp.sent().map((sent) => sent.from);
    expect(from).toEqual(["200", "200", simulator.whatsApp.phoneNumberId]);
  });

  it("goes from a number that was added over HTTP; the same again keeps its key", async () => {
    const numbers = "/admin/whatsapp/numbers";
    const number = { phoneNumberId: "200", displayPhoneNumber: "+447700900889" };
    const added = await call(numbers, {}, number);
    expect(added).toMatchObject({ status: 200, json: { displayPhoneNumber: "447700900889" } });
    expect(await call(path("200"), bearer(), text())).toMatchObject({ status: 200 });
    expect((await call(numbers, {}, number)).json).toEqual(added.json);
    const { content } = await call(numbers, {});
    expect(JSON.parse(content)).toMatchObject([
      { phoneNumberId: simulator.whatsApp.phoneNumberId },
      added.json,
    ]);
    expect(await call(numbers, {}, { ...number, phoneNumberId: "+1" })).toMatchObject({
      status: 400,
    });
  });

  it("is told to listeners when it is refused, whatever it was refused for", async () => {
    const refused: unknown[] = [];
    simulator.onRefused(({ to, code }) => refused.push([to, code]));
    simulator.setFaults({ metaRefusals: { [PERSON]: 131056 } });
    await send(text());
    simulator.setFaults({ metaRefusals: {}, meta: { kind: "error", status: 503, times: 1 } });
    await send(text());
    await send(text(PERSON, { type: "pigeon" }));
    await send(text());
    expect(refused).toEqual([131056, 131016, 131051].map((code) => [PERSON, code]));
  });

  it("is 401 with code 190 for a wrong token", async () => {
    const { status, json } = await call(path(), { authorization: "Bearer wrong" }, text());
    expect({ status, json }).toMatchObject({ status: 401, json: { error: { code: 190 } } });
  });

  it("is 401 for a wrong key at 360dialog", async () => {
    expect(await call("/messages", key("wrong"), text())).toMatchObject({ status: 401 });
  });

  it("is 400 with subcode 33 for a number the account has not", async () => {
    const { status, json } = await call(path("999"), bearer(), text());
    expect(status).toBe(400);
    expect(json).toMatchObject({
      error: { code: 100, error_subcode: 33, type: "GraphMethodException" },
    });
  });

  it("is refused when it is no JSON object", async () => {
    expect(await send([])).toMatchObject({ status: 400, json: { error: { code: 100 } } });
  });
});

describe("faults", () => {
  it.each([
    { fault: { kind: "error", status: 503 }, sees: { status: 503 }, code: 131016, sent: 0 },
    {
      fault: { kind: "error", status: 400, code: 131056, retryAfterSeconds: 4 },
      sees: { status: 400, retryAfter: "4" },
      code: 131056,
      sent: 0,
    },
    { fault: { kind: "reset" }, sees: null, sent: 0 },
    { fault: { kind: "accept-then-reset" }, sees: null, sent: 1 },
    { fault: { kind: "accept-then-hang" }, sees: null, sent: 1 },
    { fault: { kind: "garbage-200" }, sees: { status: 200, json: null }, sent: 1 },
    {
      fault: { kind: "error-after-accept", status: 500 },
      sees: { status: 500, json: null },
      sent: 1,
    },
    {
      fault: { kind: "error-after-accept", status: 500, code: 131000 },
      sees: { status: 500 },
      code: 131000,
      sent: 1,
    },
  ])("$fault: $sent sent, and over after its times", async ({ fault, sees, code, sent }) => {
    const response = await fetch(`${simulator.url}/admin/faults`, {
      method: "PUT",
      body: JSON.stringify({ meta: { ...fault, times: 1 } }),
    });
    expect(response.status).toBe(200);
    const limitMs = fault.kind.endsWith("hang") ? HASTY_MS : undefined;
    const answer = await send(text(), limitMs).catch(() => null);
    expect([answer]).toMatchObject([sees]);
    const { error } = (answer?.json ?? {}) as { error?: { code: number } };
    expect(error?.code).toBe(code);
    expect(simulator.whatsApp.sent()).toHaveLength(sent);
    expect(await send()).toMatchObject({ status: 200 });
  });

  it("of a mix are drawn by weight, the same for the same seed", async () => {
    const statuses = async (seed: number) => {
      const weights = { ok: 1, "error-503": 1, "error-429": 1 };
      simulator.setFaults({ meta: { kind: "mix", seed, weights } });
      const seen: number[] = [];
      for (let i = 0; i < 30; i++) seen.push((await send()).status);
      return seen;
    };
    const first = await statuses(7);
    expect(new Set(first)).toEqual(new Set([200, 429, 503]));
    expect(await statuses(7)).toEqual(first);
    expect(await statuses(8)).not.toEqual(first);
  });

  it("refuse one recipient with a code, however the number is written, and no other", async () => {
    simulator.setFaults({ metaRefusals: { [PERSON]: 131056, "US.1349": 131062 } });
    expect(await send(text("33612345678"))).toMatchObject({
      status: 400,
      json: { error: { code: 131056 } },
    });
    const toUser = text(undefined, { to: undefined, recipient: "US.1349" });
    expect(await send(toUser)).toMatchObject({ json: { error: { code: 131062 } } });
    expect(await send(text(OTHER))).toMatchObject({ status: 200 });
  });

  it("of reads leave sends alone, and the other way round", async () => {
    const read = { messaging_product: "whatsapp", status: "read", message_id: "wamid.A" };
    simulator.setFaults({ metaReads: "refused", meta: { kind: "error", status: 503, times: 1 } });
    expect(await send(read)).toMatchObject({ status: 500 });
    simulator.setFaults({ metaReads: "answered" });
    expect(await send(read)).toMatchObject({ status: 200 });
    expect(await send()).toMatchObject({ status: 503 });
    expect(await send()).toMatchObject({ status: 200 });
    simulator.setFaults({ metaReads: "hanging" });
    await expect(send(read, HASTY_MS)).rejects.toThrow("aborted due to timeout");
    expect(simulator.whatsApp.reads()).toHaveLength(2);
  });
});

describe("media", () => {
  const CONTENT = Buffer.from("the picture");
  const fetchUrl = (id: string, headers = bearer(), version = "/v24.0") =>
    call(`${version}/${id}`, headers);
  const download = (url: string, headers: Record<string, string>) =>
    fetch(url, { headers }).then(async (response) => ({
      status: response.status,
      type: response.headers.get("content-type"),
      text: await response.text(),
    }));

  it("are described by their id and fetched from the address, with the token", async () => {
    const media = simulator.whatsApp.addMedia(CONTENT, "image/jpeg");
    const { json } = await fetchUrl(media.id);
    const { url, ...described } = json as { url: string };
    expect(described).toEqual({
      messaging_product: "whatsapp",
      id: media.id,
      mime_type: "image/jpeg",
      file_size: CONTENT.length,
      sha256: Buffer.from(media.sha256, "base64").toString("hex"),
    });
    expect(await download(url, bearer())).toEqual({
      status: 200,
      type: "image/jpeg",
      text: "the picture",
    });
    expect(await download(url, {})).toMatchObject({ status: 401 });
  });

  it("have addresses that serve for 5 minutes, and then a new one", async () => {
    const media = simulator.whatsApp.addMedia(CONTENT, "image/jpeg");
    const { url } = (await fetchUrl(media.id)).json as { url: string };
    now += 5 * 60_000 - 1;
    expect(await download(url, bearer())).toMatchObject({ status: 200 });
    now += 1;
    expect(await download(url, bearer())).toMatchObject({ status: 404 });
    const { url: next } = (await fetchUrl(media.id)).json as { url: string };
    expect(await download(next, bearer())).toMatchObject({ status: 200 });
  });

  it("of 360dialog have Meta's host, which the key does not open but 360dialog's does", async () => {
    const media = simulator.whatsApp.addMedia(CONTENT, "image/jpeg");
    const answer = await call(`/${media.id}`, key());
    const { url } = answer.json as { url: string };
    expect(url).toMatch(/^https:\/\/lookaside\.fbsbx\.com\//);
    const replaced = url.replace("https://lookaside.fbsbx.com", simulator.whatsApp.apiUrl);
    expect(await download(replaced, key())).toMatchObject({ status: 200, text: "the picture" });
  });

  it("are refused without the token, and when there are none", async () => {
    expect(await fetchUrl("123", { authorization: "Bearer wrong" })).toMatchObject({ status: 401 });
    expect(await fetchUrl("123")).toMatchObject({
      status: 400,
      json: { error: { code: 100, error_subcode: 33 } },
    });
  });
});
