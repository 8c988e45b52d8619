import type { IncomingMessage, ServerResponse } from "node:http";

/** Longest body taken, bytes; the longest real one is a model request with its history. */
const BODY_LIMIT = 2_000_000;

/**
 * The body as UTF-8 text.
 * @throws when it is longer than the limit or the client closes before its end
 */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_LIMIT) throw new Error(`body longer than ${BODY_LIMIT} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Answers with JSON; does nothing when the client has gone. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  sendText(response, status, "application/json", JSON.stringify(value), headers);
}

/** Answers with text of the given content type; does nothing when the client has gone. */
export function sendText(
  response: ServerResponse,
  status: number,
  contentType: string,
  text: string,
  headers: Record<string, string> = {},
): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}
