import { quantile } from "./results.ts";
import type { Subject, World } from "./world.ts";

/** How long customers waited between their text and the reply to it, milliseconds, and how many got a holding text. */
interface Answered {
  texts: number;
  replies: number;
  holding: number;
  waits: number[];
}

/**
 * What became of the texts of a subject that answers later.
 *
 * @param acceptedBefore what `world.accepted()` was before the load
 * @throws Error when a text has no reply after it, when a conversation has more replies than texts, or
 *   when the provider accepted another number of texts than were sent
 */
export async function answeredOnce(
  world: World,
  { name, query }: Subject,
  acceptedBefore: number,
): Promise<Answered> {
  const [counted] = await query<{
    texts: number;
    replies: number;
    holding: number;
    outbound: number;
    unsent: number;
    doubled: number;
  }>(
    `SELECT coalesce(sum(texts), 0)::int AS texts, coalesce(sum(replies), 0)::int AS replies,
       coalesce(sum(holding), 0)::int AS holding, coalesce(sum(outbound), 0)::int AS outbound,
       coalesce(sum(outbound - sent), 0)::int AS unsent, count(*) FILTER (WHERE replies > texts)::int AS doubled
     FROM (SELECT count(*) FILTER (WHERE "direction" = 'INBOUND') AS texts,
         count(*) FILTER (WHERE "kind" = 'reply') AS replies,
         count(*) FILTER (WHERE "kind" = 'holding') AS holding,
         count(*) FILTER (WHERE "direction" = 'OUTBOUND') AS outbound,
         count(*) FILTER (WHERE "direction" = 'OUTBOUND' AND "providerMessageId" IS NOT NULL) AS sent
       FROM "Message" GROUP BY "conversationId") conversation`,
  );
  const waits = await query<{ ms: number | null }>(
    `SELECT extract(epoch FROM (SELECT min(r."createdAt") FROM "Message" r
         WHERE r."conversationId" = m."conversationId" AND r."position" > m."position" AND r."kind" = 'reply'
       ) - m."createdAt")::float8 * 1000 AS ms
     FROM "Message" m WHERE m."direction" = 'INBOUND'`,
  );
  const accepted = (await world.accepted()) - acceptedBefore;
  const without = waits.filter(({ ms }) => ms === null).length;
  if (counted === undefined || without > 0 || counted.doubled > 0 || counted.unsent > 0)
    throw new Error(
      `${name}: not every text is answered once: ${JSON.stringify({ ...counted, without })}`,
    );
  if (accepted !== counted.outbound)
    throw new Error(
      `${name}: ${counted.outbound} texts are sent and the providers accepted ${accepted}`,
    );
  return { ...counted, waits: waits.flatMap(({ ms }) => ms ?? []) };
}

/** In one line for a person. */
export function describe({ texts, replies, holding, waits }: Answered): string {
  const seconds = (share: number) => (quantile(waits, share) / 1000).toFixed(1);
  return `${texts} texts, all answered, by ${replies} replies and ${holding} holding texts, each accepted once; reply after ${seconds(0.5)} s (median), ${seconds(0.99)} s (p99)`;
}
