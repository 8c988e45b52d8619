import { newId, type Tx } from "@jobrun/db";
import { prepareSmsText, type Channel } from "@jobrun/messaging";
import { messageKinds, type MessageKind } from "./message-kinds.ts";

/** A text to send, its words made fit for the channel it goes by. */
export interface OutboxText {
  kind: MessageKind;
  body: string;
  segments: number;
  recipient: string;
}

/** The columns of its row that follow from its kind. */
export function kindColumns(kind: MessageKind): { priority: number; lifeSeconds: number | null } {
  const { priority, lifeSeconds } = messageKinds[kind];
  return { priority, lifeSeconds };
}

/** @param fitText of the channel it goes by; operators, founders and callers are reached by SMS */
export function outboxText(
  kind: MessageKind,
  words: string,
  recipient: string,
  fitText: Channel["fitText"] = prepareSmsText,
): OutboxText {
  const { text: body, segments } = fitText(words);
  return { kind, body, segments, recipient };
}

/**
 * Queues a text as a part of the caller's transaction.
 *
 * @param text `conversationId`: of a text to a customer, whose conversation the caller has locked by
 *   raising its revision, so that its texts leave in the order of their commits. Texts to others
 *   belong to none and wait for nobody.
 * @returns the message's id
 */
export async function enqueue(
  tx: Tx,
  text: OutboxText & {
    tenantId: string | null;
    channel: string;
    sender: string;
    requestId: string;
    conversationId?: string;
    /** Of what is more than words: as the channel's `readContent` returned it */
    content?: { type: string; payload?: unknown };
  },
): Promise<string> {
  const id = newId();
  const { priority, lifeSeconds } = kindColumns(text.kind);
  const { type = "text", payload } = text.content ?? {};
  await tx.$executeRaw`
    INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient", "body", "segments",
      "type", "payload", "status", "requestId", "priority", "expiresAt")
    VALUES (${id}::uuid, ${text.tenantId}::uuid, ${text.conversationId ?? null}::uuid, 'OUTBOUND', ${text.channel}, ${text.kind}, ${text.sender},
      ${text.recipient}, ${text.body}, ${text.segments}, ${type}, ${payload === undefined ? null : JSON.stringify(payload)}::jsonb, 'QUEUED', ${text.requestId}, ${priority},
      now() + make_interval(secs => ${lifeSeconds}))`;
  return id;
}
