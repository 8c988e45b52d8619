import { z } from "zod";
import { contents, required } from "./content-schema.ts";
import { interactive } from "./interactive-schema.ts";
import type { Mistake } from "./meta-error.ts";
import { isPhone } from "./people.ts";
import { template } from "./template-schema.ts";
import { valueAt } from "./value-at.ts";

const types = { ...contents, interactive, template };
type MessageType = keyof typeof types;

/** A request to send that Meta takes. */
export interface MessageRequest {
  type: MessageType;
  recipientType: "individual" | "group";
  /** As given; wins over `recipient`. */
  to: string | null;
  recipient: string | null;
  messageId: string | null;
}

/** A request to show a message as read. */
export interface ReadRequest {
  wamid: string;
  typing: boolean;
}

/** The country code and subscriber number, with the separators Meta allows. */
const phone = z
  .string()
  .regex(/^\+?[\d\s().-]+$/)
  .refine((text) => /^\d{7,15}$/.test(text.replaceAll(/\D/g, "")), "is not a phone number");
/** https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids */
const userId = z.string().regex(/^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/);

const product = z.literal("whatsapp");
const addressed = {
  messaging_product: product,
  biz_opaque_callback_data: z.string().max(512).exactOptional(),
  context: z.strictObject({ message_id: required() }).exactOptional(),
  type: z.string().exactOptional(),
};
const toOne = {
  ...addressed,
  recipient_type: z.literal("individual").exactOptional(),
  to: phone.exactOptional(),
  recipient: userId.exactOptional(),
};
const toGroup = { ...addressed, recipient_type: z.literal("group"), to: required() };

const readRequest = z.strictObject({
  messaging_product: product,
  status: z.literal("read"),
  message_id: required(),
  typing_indicator: z.strictObject({ type: z.literal("text") }).exactOptional(),
});

/** Reads a request to mark a message read, or says why Meta does not take it. */
export function readReadRequest(request: Record<string, unknown>): ReadRequest | Mistake {
  const result = readRequest.safeParse(request);
  if (!result.success) return mistakeOf(request, result.error);
  const { message_id: wamid, typing_indicator: typing } = result.data;
  return { wamid, typing: typing !== undefined };
}

/** Reads a request to send a message, or says why Meta does not take it. */
export function readMessageRequest(request: Record<string, unknown>): MessageRequest | Mistake {
  const type = request["type"] ?? "text";
  if (!isMessageType(type)) {
    return { code: 131051, details: `Message type ${JSON.stringify(type)} is not supported` };
  }
  const toWhom = request["recipient_type"] === "group" ? toGroup : toOne;
  const result = z.strictObject({ ...toWhom, [type]: types[type] }).safeParse(request);
  if (!result.success) return mistakeOf(request, result.error);
  const { to, recipient, biz_opaque_callback_data: messageId } = request as Record<string, string>;
  if (to === undefined && recipient === undefined) return missing("to");
  if (type === "reaction" && request["context"] !== undefined) {
    return { code: 131009, details: "context: a reaction cannot be a contextual reply" };
  }
  return {
    type,
    recipientType: toWhom === toGroup ? "group" : "individual",
    to: to ?? null,
    recipient: to === undefined ? (recipient ?? null) : null,
    messageId: messageId ?? null,
  };
}

/** The person addressed: E.164 with "+", a user id, or a group's id. */
export function personOf({ to, recipient, recipientType }: MessageRequest): string {
  const person = to ?? recipient ?? "";
  return recipientType === "individual" && isPhone(person)
    ? `+${person.replaceAll(/\D/g, "")}`
    : person;
}

export function isMistake(value: object): value is Mistake {
  return "details" in value;
}

function isMessageType(type: unknown): type is MessageType {
  return typeof type === "string" && Object.hasOwn(types, type);
}

/** The first of the problems, with the code Meta has for its kind. */
function mistakeOf(request: Record<string, unknown>, error: z.ZodError): Mistake {
  const [issue] = error.issues;
  if (!issue) return { code: 100, details: "Parameter Invalid" };
  const path = issue.path.map(String);
  const field = path.join(".");
  if (issue.code === "unrecognized_keys") {
    const keys = issue.keys.map((key) => `"${key}"`).join(", ");
    return { code: 100, details: `Unexpected key ${keys}${field ? ` on param "${field}"` : ""}.` };
  }
  if (valueAt(request, path) === undefined) return missing(field);
  if (field === "text.body" && issue.code === "too_big") {
    return { code: 100, details: "Param text['body'] must be at most 4096 characters long." };
  }
  return { code: 131009, details: `${field}: ${issue.message}` };
}

/** Meta has one code for what belongs to every message and another for what belongs to a type. */
function missing(field: string): Mistake {
  const isOfMessage = !field.includes(".") && !Object.hasOwn(types, field);
  return { code: isOfMessage ? 100 : 131008, details: `The parameter ${field} is required.` };
}
