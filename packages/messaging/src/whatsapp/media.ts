import { z } from "zod";
import type { Channel, MediaResult } from "../channel.ts";
import type { WhatsAppApi } from "./api.ts";
import { request } from "./request.ts";
import { outcomeOfRefusal, outcomeWithoutAnswer } from "./send-outcome.ts";

/** Of one request: a large file may come over a slow line. */
const TIMEOUT_MS = 30_000;
/** What Meta allows for audio and video; a larger document is nothing a gateway should hold. */
const LARGEST_BYTES = 16 * 1024 * 1024;
const REFERENCE = /^media:([\w-]{1,255})$/;

/**
 * Fetches `media:<id>`: asks for the file's address, which lives 5 minutes, and goes there
 * (developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media).
 */
export function fetchMedia(api: WhatsAppApi): NonNullable<Channel["fetchMedia"]> {
  return async (reference, signal) => {
    const id = REFERENCE.exec(reference)?.[1];
    if (id === undefined) return { kind: "gone", code: "not-a-reference" };
    try {
      const result = await fetchOnce(api, id, signal);
      // The address may have ended in the meantime: Meta says to ask for another one.
      return result === NOT_THERE ? await fetchOnce(api, id, signal) : result;
    } catch (error) {
      return { kind: "unavailable", code: outcomeWithoutAnswer(error).code };
    }
  };
}

const NOT_THERE: MediaResult = { kind: "gone", code: "not-there" };
const TOO_LARGE: MediaResult = { kind: "gone", code: "too-large" };
const NOT_ALLOWED: MediaResult = { kind: "gone", code: "not-an-allowed-host" };

async function fetchOnce(api: WhatsAppApi, id: string, signal: AbortSignal): Promise<MediaResult> {
  const limits = { timeoutMs: TIMEOUT_MS, signal };
  const { headers } = api;
  const file = await request(api.mediaUrl(id), { headers }, limits, readFile);
  if ("kind" in file) return file;
  if (file.size !== undefined && file.size > LARGEST_BYTES) return TOO_LARGE;
  const given = URL.parse(file.url);
  const url = given && api.downloadUrl(given);
  // Wherever it is, it is sent our credentials.
  if (!url || !isAllowed(url, api.baseUrl)) return NOT_ALLOWED;
  return request(url, { headers }, limits, async (response) => {
    if (response.status !== 200) {
      const failure = await failed(response);
      return response.status === 404 ? NOT_THERE : failure;
    }
    const content = await readUpTo(LARGEST_BYTES, response);
    return content ? { kind: "fetched", content, contentType: file.contentType } : TOO_LARGE;
  });
}

const File = z.object({
  url: z.string(),
  mime_type: z
    .string()
    .regex(/^[\w.+-]+\/[\w.+-]+(; ?[\w.+-]+=[\w.+-]+)*$/)
    .catch("application/octet-stream"),
  file_size: z.coerce.number().optional().catch(undefined),
});

/** What is asked first: where the file is and what. */
async function readFile(
  response: Response,
): Promise<{ url: string; contentType: string; size: number | undefined } | MediaResult> {
  if (response.status !== 200) return failed(response);
  const file = File.safeParse(await response.json().catch(() => undefined));
  if (!file.success) return { kind: "unavailable", code: "unreadable-200" };
  const { url, mime_type: contentType, file_size: size } = file.data;
  return { url, contentType, size };
}

const LONGEST_REFUSAL_BYTES = 64 * 1024;

/**
 * A refusal that is about us or about now may pass; any other is final: 360dialog answers nothing
 * for 30 min after 20 errors within an hour.
 */
async function failed(response: Response): Promise<MediaResult> {
  const { status, headers } = response;
  const body = String((await readUpTo(LONGEST_REFUSAL_BYTES, response)) ?? "");
  const refusal = outcomeOfRefusal({ status, headers, body });
  const isFinal = refusal.kind === "rejected" && refusal.scope !== "account";
  return { kind: isFinal ? "gone" : "unavailable", code: refusal.code };
}

const META_HOSTS = /\.(fbcdn\.net|fbsbx\.com|whatsapp\.net)$/;

/** Whether a file may be there: on one of Meta's hosts, or the one we ask anyway. */
export function isAllowed(url: URL, baseUrl: string): boolean {
  if (url.origin === new URL(baseUrl).origin) return true;
  return url.protocol === "https:" && url.port === "" && META_HOSTS.test(url.hostname);
}

/** A body of at most so many bytes; null when there are more. */
async function readUpTo(most: number, response: Response): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > most) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
