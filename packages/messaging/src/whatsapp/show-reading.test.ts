import { describe, expect, it } from "@jest/globals";
import type { WhatsAppApi } from "./api.ts";
import { json, openDouble } from "../testing/http-double.ts";
import { showReading } from "./show-reading.ts";

const MESSAGE = { providerMessageId: "wamid.HBgM", to: "106540352242922" };

const apiAt = (url: string): WhatsAppApi => ({
  baseUrl: url,
  headers: { authorization: "Bearer token" },
  messagesUrl: (from) => `${url}/v24.0/${from}/messages`,
  mediaUrl: (id) => `${url}/v24.0/${id}`,
  downloadUrl: (given) => given,
});
const never = () => new AbortController().signal;

describe("showing that a message is being answered", () => {
  it("marks it as read and shows the typing indicator", async () => {
    const double = await openDouble(json(200, { success: true }));
    await showReading(apiAt(double.url))(MESSAGE, never());
    const { method, path, headers, body } = double.requests[0]!;
    expect(`${method} ${path}`).toBe("POST /v24.0/106540352242922/messages");
    expect(headers).toMatchObject({
      authorization: "Bearer token",
      "content-type": "application/json",
    });
    expect(JSON.parse(body)).toEqual({
      messaging_product: "whatsapp",
      status: "read",
      message_id: "wamid.HBgM",
      typing_indicator: { type: "text" },
    });
  });

  it("asks nobody about a message that Meta gave no id", async () => {
    const double = await openDouble(json(200, { success: true }));
    await showReading(apiAt(double.url))({ ...MESSAGE, providerMessageId: "sha256:ab" }, never());
    expect(double.requests).toEqual([]);
  });

  it("costs nobody anything when it fails", async () => {
    const refusing = await openDouble(json(400, { error: { code: 100 } }));
    const resetting = await openDouble((_response, request) => request.socket.resetAndDestroy());
    const closed = await openDouble(() => {});
    await closed.close();
    for (const { url } of [refusing, resetting, closed]) {
      expect(await showReading(apiAt(url))(MESSAGE, never())).toBeUndefined();
    }
  });

  it("ends with its signal", async () => {
    const silent = await openDouble(() => {});
    const abort = new AbortController();
    const showing = showReading(apiAt(silent.url))(MESSAGE, abort.signal);
    abort.abort();
    expect(await showing).toBeUndefined();
  });

  it("ends by itself when nobody answers", async () => {
    const silent = await openDouble(() => {});
    const showing = showReading(apiAt(silent.url), 50);
    expect(await showing(MESSAGE, never())).toBeUndefined();
  });
});
