import { Prisma } from "@jobrun/db";
import { z } from "zod";
import { id, time } from "./fields.ts";
import { listOf, pageById, toPage } from "./page.ts";
import { route } from "./route.ts";

const unrouted = z
  .object({
    id,
    sender: z.string(),
    recipient: z.string(),
    body: z.string(),
    answered: z.boolean(),
    receivedAt: time,
  })
  .meta({ id: "UnroutedMessage" });

export const unroutedRoutes = [
  route({
    method: "get",
    path: "/admin/unrouted",
    summary: "List texts to numbers that are no tenant's, newest first",
    role: "super-admin",
    query: z.strictObject(pageById),
    answers: { 200: "A page" },
    answer: listOf(unrouted),
    handle: async ({ deps }, { query: { cursor, limit } }) => {
      const before = cursor === undefined ? Prisma.empty : Prisma.sql`WHERE "id" < ${cursor}::uuid`;
      const rows = await deps.db.serviceTransaction(
        (tx) => tx.$queryRaw<z.input<typeof unrouted>[]>`
          SELECT "id"::text, "sender", "recipient", "body", "answered", "receivedAt"
          FROM "UnroutedMessage" ${before} ORDER BY "id" DESC LIMIT ${limit + 1}`,
      );
      return { status: 200, body: toPage(rows, limit, (row) => row.id) };
    },
  }),
];
