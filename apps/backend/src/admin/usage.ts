import type { Tx } from "@jobrun/db";
import { z } from "zod";
import { UNLIMITED } from "../limits/plans.ts";
import { planName, rate, termsOf } from "../limits/terms.ts";
import { notFound } from "./admin-error.ts";
import { ids } from "./fields.ts";
import { inTenant } from "./in-tenant.ts";
import { route } from "./route.ts";

const count = z.int().min(0);
const limit = z.int().min(UNLIMITED).meta({ description: "-1: without limit" });

const usage = z
  .object({
    plan: planName,
    period: z.string().meta({
      description: "The calendar month in the tenant's time zone",
      example: "2026-11",
    }),
    messages: z.object({ used: count, limit }).meta({ description: "Answers of the assistant" }),
    tokens: z
      .object({ day: z.iso.date(), used: count, limit })
      .meta({ description: "Of the model, today, in and out" }),
    rates: z.object({ conversation: rate, sender: rate }),
  })
  .meta({ id: "Usage" });

export const usageRoutes = [
  route({
    method: "get",
    path: "/tenants/:id/usage",
    summary: "What a tenant has used of their plan, and the limits that hold",
    role: "admin",
    params: ids("id"),
    answers: { 200: "The use so far" },
    answer: usage,
    handle: async (context, { params }) => ({
      status: 200,
      body: await inTenant(context, params.id, (tx) => readUsage(tx, params.id)),
    }),
  }),
];

interface Row {
  plan: string;
  limits: unknown;
  period: string;
  day: string;
  messages: number;
  dayTokens: number;
}

async function readUsage(tx: Tx, tenantId: string): Promise<z.input<typeof usage>> {
  const [row] = await tx.$queryRaw<Row[]>`
    SELECT t."plan", t."limits", l."period", l."day", COALESCE(sum(u."messages"), 0)::int AS "messages",
      COALESCE(sum(u."dayTokens") FILTER (WHERE u."day" >= l."day"), 0)::float8 AS "dayTokens"
    FROM "Client" t
    CROSS JOIN LATERAL (SELECT to_char(now() AT TIME ZONE t."timeZone", 'YYYY-MM') AS "period",
      to_char(now() AT TIME ZONE t."timeZone", 'YYYY-MM-DD') AS "day") l
    LEFT JOIN "Usage" u ON u."clientId" = t."id" AND left(u."period", 7) = l."period"
    WHERE t."id" = ${tenantId}::uuid
    GROUP BY t."id", l."period", l."day"`;
  if (row === undefined) throw notFound("tenant");
  const terms = termsOf(row.plan, row.limits);
  return {
    plan: planName.parse(row.plan),
    period: row.period,
    messages: { used: row.messages, limit: terms.monthlyMessages },
    tokens: { day: row.day, used: row.dayTokens, limit: terms.dailyTokens },
    rates: { conversation: terms.conversationRate, sender: terms.senderRate },
  };
}
