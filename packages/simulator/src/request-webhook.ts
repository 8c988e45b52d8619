import http from "node:http";
import https from "node:https";

/** One request of a webhook, and what came of it. */
export type WebhookAnswer =
  | { kind: "answered"; status: number; contentType: string | null; body: string }
  /** No TCP or TLS connection. */
  | { kind: "not-connected"; error: string }
  /** Connected, and no complete answer; `partial` when it had begun. */
  | { kind: "not-answered"; error: string; partial: boolean };

export interface WebhookRequest {
  url: string;
  headers: Record<string, string>;
  content: { type: string; body: string };
  connectTimeoutMs: number;
  /** Longest silence after connecting, ms. */
  readTimeoutMs: number;
  /** Bound of the whole request, ms. */
  totalTimeMs: number;
  signal: AbortSignal;
}

/**
 * Posts a webhook: separate bounds for connecting, silence and the whole, redirects not followed.
 * @throws only when `signal` is aborted
 */
export function requestWebhook(options: WebhookRequest): Promise<WebhookAnswer> {
  options.signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const url = new URL(options.url);
    const secure = url.protocol === "https:";
    const { type, body } = options.content;
    let connected = false;
    let partial = false;

    const request = (secure ? https : http).request(url, {
      method: "POST",
      agent: false, // a fresh connection: a stale kept-alive one would look like a failing gateway
      signal: options.signal,
      headers: {
        ...options.headers,
        "content-type": type,
        "content-length": Buffer.byteLength(body),
      },
    });
    const whole = setTimeout(
      () => fail(`no answer within ${Math.round(options.totalTimeMs)} ms in all`),
      options.totalTimeMs,
    );
    const connecting = setTimeout(
      () => fail(`no connection within ${options.connectTimeoutMs} ms`),
      options.connectTimeoutMs,
    );
    const fail = (error: string) => request.destroy(new Error(error));
    const settle = (answer: WebhookAnswer) => {
      clearTimeout(whole);
      clearTimeout(connecting);
      resolve(answer);
    };
    const settleFailure = (error: Error) => {
      if (options.signal.aborted) {
        clearTimeout(whole);
        clearTimeout(connecting);
        reject(error);
      } else if (!connected) {
        settle({ kind: "not-connected", error: error.message });
      } else {
        settle({ kind: "not-answered", error: error.message, partial });
      }
    };

    request.once("socket", (socket) => {
      socket.once(secure ? "secureConnect" : "connect", () => {
        connected = true;
        clearTimeout(connecting);
        socket.setTimeout(options.readTimeoutMs, () =>
          fail(`no answer within ${options.readTimeoutMs} ms`),
        );
      });
    });
    request.once("error", settleFailure);
    request.once("response", (response) => {
      partial = true;
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", settleFailure);
      response.once("end", () =>
        settle({
          kind: "answered",
          status: response.statusCode ?? 0,
          contentType: response.headers["content-type"] ?? null,
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    request.end(body);
  });
}

/** Parameters as a form, the way Twilio posts them. */
export function formContent(params: Record<string, string>): WebhookRequest["content"] {
  return {
    type: "application/x-www-form-urlencoded; charset=UTF-8",
    body: new URLSearchParams(params).toString(),
  };
}
