import type { WebhookAnswer } from "./request-webhook.ts";
import { readTwiml } from "./read-twiml.ts";

/** A text the answer to a webhook sends; without `to`, to the person who texted. */
export interface Reply {
  body: string;
  to: string | null;
  from: string | null;
}

/** What Twilio makes of an answer; `errorCode` is what its debugger and the fallback URL are told. */
export type AnswerOutcome =
  | { kind: "accepted"; replies: Reply[] }
  | { kind: "failed"; errorCode: number };

/**
 * Reads an answer as Twilio does: XML and HTML are TwiML, `text/plain` is sent to the person as it is, 204 says
 * nothing (https://www.twilio.com/docs/api/twiml/sms/your_response, https://www.twilio.com/docs/api/errors/12300).
 */
export function readAnswer(answer: WebhookAnswer): AnswerOutcome {
  if (answer.kind !== "answered") return { kind: "failed", errorCode: 11205 };
  if (answer.status < 200 || answer.status > 299) return { kind: "failed", errorCode: 11200 };
  if (answer.status === 204) return { kind: "accepted", replies: [] };

  switch (answer.contentType?.split(";", 1)[0]?.trim().toLowerCase()) {
    case "text/plain": {
      if (answer.body === "") return { kind: "accepted", replies: [] };
      return { kind: "accepted", replies: [{ body: answer.body, to: null, from: null }] };
    }
    case "text/xml":
    case "application/xml":
    case "text/html": {
      const replies = readTwiml(answer.body);
      return replies ? { kind: "accepted", replies } : { kind: "failed", errorCode: 12100 };
    }
    default:
      return { kind: "failed", errorCode: 12300 };
  }
}
