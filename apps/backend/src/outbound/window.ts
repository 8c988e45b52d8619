import type { Database } from "@jobrun/db";
import type { Channel, Content } from "@jobrun/messaging";
import type { ClaimedMessage } from "./claim.ts";

/** What is no free-form message: a template, and telling the customer that theirs was read. */
const ALWAYS = new Set(["template", "mark_read"]);

/** Clocks differ, and a send takes its time: what would arrive after the end must not leave. */
const MARGIN_MS = 60_000;

/**
 * Whether a message may go as it is. Outside a channel's window only a template may: asked when it is
 * about to be sent, since it may have waited for hours.
 *
 * @param now milliseconds since the epoch
 */
export function isInWindow(
  { windowMs }: Pick<Channel, "windowMs">,
  { type, conversationId, lastInboundAt }: ClaimedMessage,
  now: number,
): boolean {
  if (windowMs === undefined || conversationId === null || ALWAYS.has(type)) return true;
  return lastInboundAt !== null && now < lastInboundAt.getTime() + windowMs - MARGIN_MS;
}

/**
 * Turns a message into the template that its tenant has for customers who must be asked to write
 * again. What it was going to say stays readable in the row.
 *
 * @returns null when the tenant has none that can be sent
 */
export async function turnIntoTemplate(
  db: Database,
  { readContent }: Pick<Channel, "readContent">,
  message: ClaimedMessage,
): Promise<Content | null> {
  const [tenant] = await db.service.$queryRaw<
    { template: Record<string, unknown> | null; asked: boolean }[]
  >`
    SELECT "reengagementTemplate" AS "template", EXISTS (SELECT 1 FROM "Message" m
      WHERE m."conversationId" = ${message.conversationId}::uuid AND m."type" = 'template' AND m."status" <> 'FAILED'
        AND m."createdAt" > COALESCE(${message.lastInboundAt}::timestamptz, '-infinity')) AS "asked"
    FROM "Client" WHERE "id" = ${message.tenantId}::uuid`;
  const template = tenant?.template ?? null;
  // Asked once already: a customer is not asked again for each reply that waits.
  if (template === null || tenant?.asked) return null;
  const { name, language, components } = template;
  const read = readContent({
    type: "template",
    template: {
      name,
      language: { code: language },
      ...(Array.isArray(components) && { components }),
    },
  });
  if (!read.ok) return null;
  const { content } = read;
  const written = await db.service.$executeRaw`
    UPDATE "Message" SET "type" = ${content.type}, "payload" = ${JSON.stringify(content.payload)}::jsonb,
      "body" = ${`${content.body} ${message.body}`}
    WHERE "id" = ${message.id}::uuid AND "status" = 'SENDING' AND "attempts" = ${message.attempts}`;
  return written === 1 ? content : null;
}

/**
 * Puts a claimed message aside until its customer writes again, which queues it anew. Others of its
 * conversation do not wait for it.
 *
 * @param code why, of our own words or the provider's
 * @param original what it was before it was turned into a template that the provider refused
 * @returns false when the claim had ended
 */
export async function hold(
  db: Database,
  { id, attempts, type, payload, body }: ClaimedMessage,
  code: string,
  original: Pick<ClaimedMessage, "type" | "payload" | "body"> = { type, payload, body },
): Promise<boolean> {
  const content = original.payload === null ? null : JSON.stringify(original.payload);
  const held = await db.service.$executeRaw`
    UPDATE "Message" SET "status" = 'HELD', "errorCode" = ${code}, "leasedUntil" = NULL, "type" = ${original.type},
      "payload" = ${content}::jsonb, "body" = ${original.body}
    WHERE "id" = ${id}::uuid AND "status" = 'SENDING' AND "attempts" = ${attempts}`;
  return held === 1;
}
