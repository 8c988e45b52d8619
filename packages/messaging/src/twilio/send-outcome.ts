import { z } from "zod";
import type { SendOutcome } from "../channel.ts";
import { parseRetryAfter } from "../http-failure.ts";
import { meaningOf } from "./error-table.ts";

/** Twilio's HTTP answer to one request. */
export interface Answer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, unknown>;
  /** Parsed when it was JSON, else a string. */
  body: unknown;
}

/** What an answer of Twilio to `POST Messages.json` says about the message. */
export function outcomeOfAnswer({ status, headers, body }: Answer): SendOutcome {
  if (status >= 200 && status < 300) {
    const created = Created.safeParse(body);
    if (created.success) return { kind: "accepted", providerId: created.data.sid };
    return { kind: "unknown", code: `unreadable-${status}` };
  }
  const twilioCode = Refused.safeParse(body).data?.code;
  const code = twilioCode === undefined ? `http-${status}` : String(twilioCode);
  const meaning = meaningOf(twilioCode, status);
  if (meaning.kind !== "unavailable") return { ...meaning, code };
  const retryAfterMs = parseRetryAfter(headers["retry-after"]);
  return { ...meaning, code, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

const Created = z.object({ sid: z.string().min(1).max(64) });
const Refused = z.object({ code: z.coerce.number().int().positive() });
