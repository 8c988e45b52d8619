import type { IncomingMessage, ServerResponse } from "node:http";

/** Longest body taken, bytes; the longest real one is a model request with its history. */
const BODY_LIMIT = 2_000_000;

/** A request that cannot be read, with the answer it gets. */
export class UnreadableRequest extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * The body as UTF-8 text.
 * @throws UnreadableRequest when it is longer than the limit; an error when the client closes before its end
 */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Read to its end all the same: who still sends does not read the answer.
    if (length <= BODY_LIMIT) chunks.push(chunk);
  }
  if (length > BODY_LIMIT) {
    throw new UnreadableRequest(413, "too_large", `the body is larger than ${BODY_LIMIT} bytes`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * The body as JSON.
 * @throws UnreadableRequest when it is none, or too long
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const text = await readBody(request);
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = text === "" ? "it is empty" : error instanceof Error ? error.message : "";
    throw new UnreadableRequest(400, "invalid_request", `the body is not JSON: ${reason}`);
  }
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
