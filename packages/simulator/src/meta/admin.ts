import { z } from "zod";
import { digitsOf } from "./envelope.ts";
import { WEBHOOK_SIGNATURES } from "./signed-body.ts";
import type { WhatsApp } from "./whats-app.ts";

const options = {
  webhookUrl: z.url().exactOptional(),
  signature: z.enum(WEBHOOK_SIGNATURES).exactOptional(),
  retry: z
    .strictObject({ times: z.int().nonnegative(), scale: z.number().nonnegative() })
    .exactOptional(),
  to: z.string().regex(/^\d+$/).exactOptional(),
};
const words = z.string().min(1).exactOptional();
const textRequest = z.strictObject({
  ...options,
  from: words,
  userId: words,
  name: words,
  body: z.string(),
  id: words,
});
const sendRequest = z.strictObject({ ...options, messages: z.array(z.unknown()).min(1) });
const statusesRequest = z.strictObject({
  ...options,
  statuses: z.array(z.record(z.string(), z.unknown())).min(1),
});
const noticeRequest = z.strictObject({ ...options, field: z.string().min(1), value: z.unknown() });
const webhookRequest = z.strictObject({ url: z.url() });
const numberRequest = z.strictObject({
  phoneNumberId: z.string().regex(/^\d+$/, "must be digits"),
  displayPhoneNumber: z
    .string()
    .regex(/^\+?\d+$/, "must be digits")
    .transform(digitsOf),
});
const windowRequest = z.strictObject({ person: z.string().min(1), open: z.boolean() });

/**
 * What the admin routes of WhatsApp do with a body.
 *
 * @param route method and path
 * @returns the answer; undefined when it is no such route
 * @throws ZodError for a body that cannot be meant, RangeError for what the simulator does not do
 */
export function whatsAppAdmin(
  whatsApp: WhatsApp,
  route: string,
): ((body: unknown) => unknown) | undefined {
  switch (route) {
    case "GET /admin/whatsapp/sent":
      return () => whatsApp.sent();
    case "GET /admin/whatsapp/numbers":
      return () => whatsApp.numbers();
    case "POST /admin/whatsapp/numbers":
      return (body) => whatsApp.addNumber(numberRequest.parse(body));
    case "POST /admin/whatsapp/text":
      return (body) => whatsApp.text(textRequest.parse(body));
    case "POST /admin/whatsapp/send":
      return (body) => {
        const { messages, ...given } = sendRequest.parse(body);
        return whatsApp.send(messages, given);
      };
    case "POST /admin/whatsapp/statuses":
      return (body) => {
        const { statuses, ...given } = statusesRequest.parse(body);
        return whatsApp.statuses(statuses, given);
      };
    case "POST /admin/whatsapp/notice":
      return (body) => {
        const { field, value, ...given } = noticeRequest.parse(body);
        return whatsApp.notice(field, value, given);
      };
    case "PUT /admin/whatsapp/webhook":
      return async (body) => {
        await whatsApp.setWebhook(webhookRequest.parse(body).url);
        return {};
      };
    case "PUT /admin/whatsapp/window":
      return (body) => {
        const { person, open } = windowRequest.parse(body);
        if (open) whatsApp.openWindow(person);
        else whatsApp.closeWindow(person);
        return {};
      };
    default:
      return undefined;
  }
}
