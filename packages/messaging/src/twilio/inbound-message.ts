import { z } from "zod";
import type { ParseResult, WebhookRequest } from "../channel.ts";
import { normaliseAddress } from "../phone-number.ts";
import { storableText } from "../storable-text.ts";

/**
 * Reads the parameters of Twilio's inbound message webhook
 * (https://www.twilio.com/docs/messaging/guides/webhook-request). A missing AccountSid is accepted,
 * since only an unsigned request can lack it; another account's is not.
 *
 * @param to stands in for a missing `To`.
 */
export function parseInboundMessage(
  params: WebhookRequest["params"],
  accountSid: string,
  to?: string,
): ParseResult {
  const result = InboundForm.safeParse(
    to !== undefined ? { ...params, To: params["To"] ?? to } : params,
  );
  const problems = new Set(result.error?.issues.map(({ path }) => String(path[0])));
  if (params["AccountSid"] !== undefined && params["AccountSid"] !== accountSid) {
    problems.add("AccountSid");
  }
  if (!result.success || problems.size > 0) return { ok: false, problems: [...problems] };

  const form = result.data;
  const media = mediaOf(params, form.NumMedia);
  if (form.Body === undefined && media.length === 0) return { ok: false, problems: ["Body"] };
  return {
    ok: true,
    message: {
      channel: "sms",
      provider: "twilio",
      providerMessageId: form.MessageSid,
      accountId: form.AccountSid ?? "",
      from: form.From,
      to: form.To,
      body: storableText(form.Body ?? ""),
      media,
    },
  };
}

const Address = z.string().transform((raw, context) => {
  const address = normaliseAddress(raw);
  if (address !== null) return address;
  context.addIssue({ code: "custom", message: "not an address" });
  return z.NEVER;
});

// Twilio adds parameters without notice, so unknown ones pass. A repeated one is an array and fails.
const InboundForm = z.object({
  // Not held to Twilio's "SM" and 32 digits: it is an opaque key here, and must only be storable.
  MessageSid: z.string().regex(/^[!-~]{1,64}$/),
  AccountSid: z.string().optional(),
  From: Address,
  To: Address,
  Body: z.string().optional(),
  NumMedia: z
    .string()
    .regex(/^\d{0,2}$/)
    .default("0")
    .transform(Number),
});

function mediaOf(params: WebhookRequest["params"], count: number) {
  return Array.from({ length: count }, (_, index) => ({
    url: params[`MediaUrl${index}`],
    contentType: params[`MediaContentType${index}`],
  })).flatMap(({ url, contentType }) =>
    // An attachment without an address is left out: the text that came with it still counts.
    typeof url === "string"
      ? [{ url: storableText(url), contentType: contentTypeOf(contentType) }]
      : [],
  );
}

function contentTypeOf(value: string | string[] | undefined): string {
  return typeof value === "string" ? storableText(value) : "application/octet-stream";
}
