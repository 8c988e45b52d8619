import { z } from "zod";
import type { SendOutcome } from "../channel.ts";
import { outcomeOfFailure, parseRetryAfter } from "../http-failure.ts";
import { meaningOf } from "./error-table.ts";
import { Interrupted } from "./request.ts";

/** An HTTP answer to `POST …/messages`. */
export interface Answer {
  status: number;
  headers: Headers;
  body: string;
}

type NotAccepted = Exclude<SendOutcome, { kind: "accepted" }>;

/** Reads the provider's id of the message from an acceptance; undefined when it is none. */
export type ReadAcceptance = (body: unknown) => string | undefined;

/** The id of an accepted message. One that Meta holds back for a while is accepted, too. */
export const messageId: ReadAcceptance = (body) => Accepted.safeParse(body).data?.messages[0].id;

/** What an answer says about the message. */
export function outcomeOfAnswer(answer: Answer, readAcceptance: ReadAcceptance): SendOutcome {
  const { status, body } = answer;
  if (status < 200 || status >= 300) return outcomeOfRefusal(answer);
  const providerId = readAcceptance(parse(body));
  if (providerId !== undefined) return { kind: "accepted", providerId };
  return { kind: "unknown", code: `unreadable-${status}` };
}

/** What an answer says that is not an acceptance. */
export function outcomeOfRefusal({ status, headers, body }: Answer): NotAccepted {
  const error = Refused.safeParse(parse(body)).data?.error;
  const code = error === undefined ? `http-${status}` : String(error.code);
  const meaning = meaningOf({ code: error?.code, subcode: error?.error_subcode, status, body });
  if (meaning.kind !== "unavailable") return { ...meaning, code };
  const retryAfterMs = parseRetryAfter(headers.get("retry-after"));
  return { ...meaning, code, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** What a request says about the message that got no answer, or was not waited for any longer. */
export function outcomeWithoutAnswer(error: unknown): Exclude<NotAccepted, { kind: "rejected" }> {
  return error instanceof Interrupted
    ? { kind: "unknown", code: error.by }
    : outcomeOfFailure(error);
}

const Accepted = z.object({
  messages: z.tuple([z.object({ id: z.string().regex(/^[!-~]{1,255}$/) })]).rest(z.unknown()),
});
// Not coerced: null would become 0, a code that stops the account.
const errorCode = z.union([
  z.int(),
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
]);
const Refused = z.object({
  error: z.object({ code: errorCode, error_subcode: errorCode.optional().catch(undefined) }),
});

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
