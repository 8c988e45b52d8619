import { describe, expect, it } from "@jest/globals";
import type { ServerResponse } from "node:http";
import type { WhatsAppApi } from "./api.ts";
import { type Answering, json, openDouble, text } from "../testing/http-double.ts";
import { fetchMedia, isAllowed } from "./media.ts";

const MB = 1024 * 1024;
const never = () => new AbortController().signal;

const apiAt = (url: string): WhatsAppApi => ({
  baseUrl: url,
  headers: { authorization: "Bearer token" },
  messagesUrl: (from) => `${url}/v24.0/${from}/messages`,
  mediaUrl: (id) => `${url}/v24.0/${id}`,
  downloadUrl: (given) => given,
});

/** A provider that knows the file 42 and keeps it where `at` says. */
async function open(download: Answering, more: object = {}) {
  const double = await openDouble((response, request, count) => {
    if (request.url !== "/v24.0/42") return download(response, request, count);
    const file = { url: `${double.url}/file?mid=42`, mime_type: "image/jpeg", id: "42", ...more };
    json(200, { messaging_product: "whatsapp", ...file })(response);
  });
  return { double, fetch: fetchMedia(apiAt(double.url)) };
}

const bytes =
  (size: number, headers: Record<string, string | number> = {}): Answering =>
  (response) => {
    response.writeHead(200, { "content-type": "application/octet-stream", ...headers });
    response.end(Buffer.alloc(size, 7));
  };

function neverEnding(response: ServerResponse): void {
  response.writeHead(200);
  const pump = () => {
    while (response.writable && response.write(Buffer.alloc(MB)));
    if (response.writable) response.once("drain", pump);
  };
  pump();
}

describe("fetching a file", () => {
  it("asks where it is and goes there, with the token both times", async () => {
    const { double, fetch } = await open(bytes(3));
    expect(await fetch("media:42", never())).toEqual({
      kind: "fetched",
      content: Buffer.alloc(3, 7),
      contentType: "image/jpeg",
    });
    expect(double.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /v24.0/42",
      "GET /file?mid=42",
    ]);
    expect(double.requests.map(({ authorization }) => authorization)).toEqual([
      "Bearer token",
      "Bearer token",
    ]);
  });

  it.each([
    ["audio/ogg; codecs=opus", "audio/ogg; codecs=opus"],
    ["text/html\r\nset-cookie: a=b", "application/octet-stream"],
    [42, "application/octet-stream"],
    [undefined, "application/octet-stream"],
  ])("takes %j for its type as %s", async (mimeType, contentType) => {
    const { fetch } = await open(bytes(1), { mime_type: mimeType });
    expect(await fetch("media:42", never())).toMatchObject({ kind: "fetched", contentType });
  });

  it("takes an empty file for what it is", async () => {
    const { fetch } = await open(bytes(0));
    expect(await fetch("media:42", never())).toMatchObject({ content: Buffer.alloc(0) });
  });

  it.each(["https://lookaside.fbsbx.com/42", "42", "media:", "media:../me", "media:a/b", ""])(
    "asks nobody for %j",
    async (reference) => {
      const { double, fetch } = await open(bytes(1));
      expect(await fetch(reference, never())).toEqual({ kind: "gone", code: "not-a-reference" });
      expect(double.requests).toEqual([]);
    },
  );
});

describe("where a file may be", () => {
  it.each([
    "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=42",
    "https://scontent.xx.fbcdn.net/42",
    "https://mmg.whatsapp.net/42",
    "https://graph.facebook.com/42",
  ])("is %s", (url) => {
    expect(isAllowed(new URL(url), "https://graph.facebook.com")).toBe(true);
  });

  it.each([
    "https://lookaside.fbsbx.com.invalid/42",
    "https://fbsbx.com.attacker.invalid/42",
    "https://notfbsbx.com/42",
    "https://lookaside.fbsbx.com@attacker.invalid/42",
    "https://lookaside.fbsbx.com:8443/42",
    "http://lookaside.fbsbx.com/42",
    "https://127.0.0.1/42",
    "https://169.254.169.254/latest/meta-data",
    "file:///etc/passwd",
    "ftp://lookaside.fbsbx.com/42",
    "/42",
    "",
  ])("is not %j", async (url) => {
    const { double, fetch } = await open(bytes(1), { url });
    expect(await fetch("media:42", never())).toEqual({
      kind: "gone",
      code: "not-an-allowed-host",
    });
    expect(double.requests).toHaveLength(1);
  });

  it("is not another port of the host we ask", async () => {
    const other = await openDouble(bytes(1));
    const { fetch } = await open(bytes(1), { url: `${other.url}/42` });
    expect(await fetch("media:42", never())).toMatchObject({ code: "not-an-allowed-host" });
    expect(other.requests).toEqual([]);
  });

  it("is not where it redirects to", async () => {
    const other = await openDouble(bytes(1));
    const { fetch } = await open((response) => {
      response.writeHead(302, { location: `${other.url}/42` });
      response.end();
    });
    expect(await fetch("media:42", never())).toEqual({ kind: "unavailable", code: "http-302" });
    expect(other.requests).toEqual([]);
  });
});

describe("how large a file may be", () => {
  it("is 16 MB", async () => {
    const { fetch } = await open(bytes(16 * MB));
    const result = await fetch("media:42", never());
    expect(result.kind === "fetched" && result.content.byteLength).toBe(16 * MB);
  });

  it("is not a byte more", async () => {
    const { fetch } = await open(bytes(16 * MB + 1));
    expect(await fetch("media:42", never())).toEqual({ kind: "gone", code: "too-large" });
  });

  it("is told by what comes, not by what was announced", async () => {
    const { fetch } = await open(neverEnding, { file_size: 3 });
    expect(await fetch("media:42", never())).toEqual({ kind: "gone", code: "too-large" });
  });

  it("is believed when it is announced as too large: it is not fetched", async () => {
    const { double, fetch } = await open(bytes(1), { file_size: String(16 * MB + 1) });
    expect(await fetch("media:42", never())).toEqual({ kind: "gone", code: "too-large" });
    expect(double.requests).toHaveLength(1);
  });
});

describe("a file that cannot be had", () => {
  it.each([
    [404, {}, { kind: "gone", code: "http-404" }],
    [400, {}, { kind: "gone", code: "http-400" }],
    [400, { error: { code: 100, error_subcode: 33 } }, { kind: "gone", code: "100" }],
    [410, {}, { kind: "gone", code: "http-410" }],
    [401, { error: { code: 190 } }, { kind: "unavailable", code: "190" }],
    [400, { error: { code: 190 } }, { kind: "unavailable", code: "190" }],
    [403, {}, { kind: "unavailable", code: "http-403" }],
    [429, {}, { kind: "unavailable", code: "http-429" }],
    [400, { error: { code: 80007 } }, { kind: "unavailable", code: "80007" }],
    [500, {}, { kind: "unavailable", code: "http-500" }],
    [503, { error: { code: 2 } }, { kind: "unavailable", code: "2" }],
  ])("when it is asked for, HTTP %i %j: %j", async (status, body, expected) => {
    const double = await openDouble(json(status, body));
    expect(await fetchMedia(apiAt(double.url))("media:42", never())).toEqual(expected);
    expect(double.requests).toHaveLength(1);
  });

  it.each([
    ["no JSON", text(200, "<h1>Oops</h1>")],
    ["no address", json(200, { id: "42" })],
  ])("is unavailable when the answer is %s", async (_name, answer) => {
    const double = await openDouble(answer);
    expect(await fetchMedia(apiAt(double.url))("media:42", never())).toEqual({
      kind: "unavailable",
      code: "unreadable-200",
    });
  });

  it("is asked for once more when its address has ended in the meantime", async () => {
    let downloads = 0;
    const { fetch } = await open((response, request, count) => {
      downloads += 1;
      return (downloads === 1 ? json(404, {}) : bytes(1))(response, request, count);
    });
    expect(await fetch("media:42", never())).toMatchObject({ kind: "fetched" });
  });

  it("is gone when its next address has ended, too", async () => {
    const { double, fetch } = await open(json(404, {}));
    expect(await fetch("media:42", never())).toEqual({ kind: "gone", code: "not-there" });
    expect(double.requests).toHaveLength(4);
  });

  it.each([
    [400, { kind: "gone", code: "http-400" }],
    [403, { kind: "unavailable", code: "http-403" }],
    [500, { kind: "unavailable", code: "http-500" }],
  ])("where it is, HTTP %i: %j", async (status, expected) => {
    const { fetch } = await open(text(status, "Oops"));
    expect(await fetch("media:42", never())).toEqual(expected);
  });

  it("is unavailable when the connection ends within it", async () => {
    const { fetch } = await open((response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => response.destroy());
    });
    expect(await fetch("media:42", never())).toEqual({ kind: "unavailable", code: "reset" });
  });

  it("is unavailable when nobody is there, and when it is aborted", async () => {
    const { double, fetch } = await open(bytes(1));
    expect(await fetch("media:42", AbortSignal.abort())).toEqual({
      kind: "unavailable",
      code: "aborted",
    });
    await double.close();
    expect(await fetch("media:42", never())).toEqual({
      kind: "unavailable",
      code: "econnrefused",
    });
  });
});
