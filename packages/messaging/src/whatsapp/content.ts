import { z } from "zod";
import type { Channel, ContentResult } from "../channel.ts";
import { contentProblems } from "../content-problems.ts";
import { interactiveKinds } from "./content-interactive.ts";
import { mediaKinds } from "./content-media.ts";
import { peopleKinds } from "./content-people.ts";
import { signalKinds } from "./content-signals.ts";
import { templateKinds } from "./content-template.ts";
import { contentKind, type ContentKind, flag, idOf, words } from "./content-words.ts";
import { withoutControls } from "./fit-text.ts";

const text = z.strictObject({ body: words(), preview_url: flag.optional() });

const KINDS: ReadonlyMap<string, ContentKind> = new Map(
  Object.entries({
    text: contentKind({ schema: text, inWords: ({ body }) => body }),
    ...mediaKinds,
    ...peopleKinds,
    ...interactiveKinds,
    ...templateKinds,
    ...signalKinds,
  }),
);
const context = z.strictObject({ message_id: idOf("message") }).optional();

/** No message of Meta's is nested half as deep. */
const DEEPEST = 24;

/**
 * Every kind of message WhatsApp carries, in Meta's own shape and within its limits
 * (developers.facebook.com/documentation/business-messaging/whatsapp/messages), and
 * `mark_read: { message_id, typing? }`. All but a reaction and that may be an answer to one
 * message: `context: { message_id }`.
 */
export const readContent: Channel["readContent"] = (input) => {
  const { type } = input;
  const kind = KINDS.get(type);
  if (!kind) return refused("type", `must be one of ${[...KINDS.keys()].join(", ")}`);
  if (isTooDeep(input)) return refused(type, `must not be nested deeper than ${DEEPEST}`);
  const schema = z.strictObject({
    type: z.literal(type),
    [type]: kind.schema,
    ...(kind.standsAlone !== true && { context }),
  });
  const result = schema.safeParse(cleaned(input));
  if (!result.success) return { ok: false, problems: contentProblems(result.error) };
  const { [type]: value, context: replyTo } = result.data as Record<string, unknown>;
  const isPlain = type === "text" && replyTo === undefined && !isPreviewed(value);
  const payload = {
    ...(kind.payload?.(value) ?? { [type]: value }),
    ...(replyTo !== undefined && { context: replyTo }),
  };
  return {
    ok: true,
    content: { type, body: kind.inWords(value), segments: 1, ...(!isPlain && { payload }) },
  };
};

function isPreviewed(value: unknown): boolean {
  return text.safeParse(value).data?.preview_url === true;
}

function refused(field: string, message: string): ContentResult {
  return { ok: false, problems: [{ field, message }] };
}

/** Every text within, without what neither Meta nor the database takes. */
function cleaned(value: unknown): unknown {
  if (typeof value === "string") return withoutControls(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [withoutControls(key), cleaned(entry)]),
  );
}

function isTooDeep(value: unknown, deepest = DEEPEST): boolean {
  if (typeof value !== "object" || value === null) return false;
  return deepest === 0 || Object.values(value).some((entry) => isTooDeep(entry, deepest - 1));
}
