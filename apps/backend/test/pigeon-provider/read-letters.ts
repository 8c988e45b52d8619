import type { WebhookItem, WebhookResult } from "@jobrun/messaging";
import { z } from "zod";

const letters = z.array(
  z.union([
    z.strictObject({ letter: z.string(), ring: z.string(), home: z.string(), words: z.string() }),
    z.strictObject({ landed: z.string() }),
  ]),
);

/** Reads what a loft reports: letters that came, and flights of ours that have landed. */
export function readLetters(rawBody: Buffer): WebhookResult {
  const read = letters.safeParse(parse(rawBody));
  if (!read.success) return { ok: false, problems: ["body"] };
  return { ok: true, items: read.data.map(itemOf) };
}

function itemOf(report: z.output<typeof letters>[number]): WebhookItem {
  if ("landed" in report)
    return {
      kind: "receipt",
      receipt: {
        provider: "pigeon-post",
        providerMessageId: report.landed,
        messageId: null,
        status: "DELIVERED",
        code: null,
      },
    };
  const { letter, ring, home, words } = report;
  return {
    kind: "message",
    message: {
      channel: "pigeon",
      provider: "pigeon-post",
      providerMessageId: letter,
      accountId: home,
      from: ring,
      ids: { phone: null, userId: ring },
      to: home,
      body: words,
      media: [],
    },
  };
}

function parse(rawBody: Buffer): unknown {
  try {
    return JSON.parse(rawBody.toString());
  } catch {
    return null;
  }
}
