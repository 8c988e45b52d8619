import { Prisma, type Tx } from "@jobrun/db";
import { z } from "zod";
import type { CommandContext, Effects } from "../operators/command-context.ts";
import { lockJob, type LockedJob } from "../operators/find-job.ts";
import { acceptJob, closeJob, declineJob } from "../operators/job-commands.ts";
import { AdminError, notFound } from "./admin-error.ts";
import { audit } from "./audit.ts";
import { id, ids, time } from "./fields.ts";
import { inTenant, inTenantOf } from "./in-tenant.ts";
import { listOf, pageById, toPage } from "./page.ts";
import { route, type Context } from "./route.ts";
import { localeOf } from "../texts/fill.ts";

const status = z.enum(["NEW", "NEEDS_INFO", "READY", "URGENT", "ACCEPTED", "DECLINED", "DONE"]);

const job = z
  .object({
    id,
    number: z.int().meta({ description: "By which the operator names it" }),
    conversationId: id,
    summary: z.string(),
    type: z.string().nullable(),
    location: z.string().nullable(),
    requestedTime: z.string().nullable(),
    customerName: z.string().nullable(),
    urgency: z.string(),
    status,
    answeredAt: time.nullable(),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: "Job" });

type JobRow = z.input<typeof job>;

/** What an operator's YES, NO and DONE do. */
const transitions = { ACCEPTED: acceptJob, DECLINED: declineJob, DONE: closeJob };

export const jobRoutes = [
  route({
    method: "get",
    path: "/tenants/:id/jobs",
    summary: "List a tenant's jobs, newest first",
    role: "admin",
    params: ids("id"),
    query: z.strictObject({ ...pageById, status: status.optional() }),
    answers: { 200: "A page" },
    answer: listOf(job),
    handle: async (context, { params, query: { cursor, limit, status: wanted } }) => {
      const before = cursor === undefined ? Prisma.sql`true` : Prisma.sql`j."id" < ${cursor}::uuid`;
      const fits =
        wanted === undefined ? Prisma.empty : Prisma.sql`AND j."status" = ${wanted}::"JobStatus"`;
      const rows = await inTenant(context, params.id, (tx) =>
        readJobs(tx, Prisma.sql`${before} ${fits} ORDER BY j."id" DESC LIMIT ${limit + 1}`),
      );
      return { status: 200, body: toPage(rows, limit, (row) => row.id) };
    },
  }),
  route({
    method: "patch",
    path: "/jobs/:id",
    summary: "Accept, decline or close a job; the customer is told as by the operator's command",
    role: "admin",
    params: ids("id"),
    body: z
      .strictObject({ status: z.enum(["ACCEPTED", "DECLINED", "DONE"]) })
      .meta({ id: "JobChange" }),
    answers: { 200: "The job as it is now" },
    answer: job,
    handle: async (context, { params, body }) => ({
      status: 200,
      body: await change(context, params.id, body.status),
    }),
  }),
];

async function change(
  context: Context,
  jobId: string,
  wanted: keyof typeof transitions,
): Promise<JobRow> {
  const effects: Effects = { queued: [], changed: [], acknowledged: [] };
  const { tenantId, row } = await inTenantOf(context, "Job", jobId, async (tx, tenant) => {
    const [found] = await tx.$queryRaw<{ number: number }[]>`
      SELECT "number" FROM "Job" WHERE "id" = ${jobId}::uuid`;
    const locked = found === undefined ? null : await lockJob(tx, found.number);
    if (locked === null) throw notFound("job");
    if (locked.status !== wanted) {
      await settle(context, tx, tenant, locked, wanted, effects);
      await audit(tx, context, {
        tenantId: tenant,
        action: "job.update",
        target: jobId,
        changes: { from: locked.status, status: wanted },
      });
    }
    const [now] = await readJobs(tx, Prisma.sql`j."id" = ${jobId}::uuid`);
    if (now === undefined) throw notFound("job");
    return { tenantId: tenant, row: now };
  });
  announce(context, tenantId, effects);
  return row;
}

async function settle(
  { deps, requestId }: Context,
  tx: Tx,
  tenantId: string,
  locked: LockedJob,
  wanted: keyof typeof transitions,
  effects: Effects,
): Promise<void> {
  const settled = ["ACCEPTED", "DECLINED", "DONE"].includes(locked.status);
  if (locked.status === "DONE" || (settled && wanted !== "DONE"))
    throw new AdminError("conflict", `A job that is ${locked.status} cannot become ${wanted}`);
  const [tenant] = await tx.$queryRaw<{ name: string; locale: string }[]>`
    SELECT "name", "locale" FROM "Client" WHERE "id" = ${tenantId}::uuid`;
  if (tenant === undefined) throw notFound("tenant");
  const command: CommandContext = {
    tx,
    channels: deps.channels,
    timers: deps.timers,
    tenant: { id: tenantId, name: tenant.name, ownerName: null },
    locale: localeOf(tenant.locale),
    byOwner: false,
    texted: locked.sender ?? "",
    requestId,
    effects,
  };
  // Without a number nobody can be told, as somebody who wants no texts.
  await transitions[wanted](command, {
    ...locked,
    optedOut: locked.optedOut || locked.sender === null,
  });
}

function announce({ deps, requestId }: Context, tenantId: string, effects: Effects): void {
  const { events, wakeOutbox } = deps;
  for (const changed of effects.changed)
    events.emit("job_upserted", { requestId, tenantId, ...changed });
  for (const answered of effects.acknowledged)
    events.emit("urgent_job_acknowledged", { requestId, tenantId, ...answered });
  for (const text of effects.queued)
    events.emit("message_queued", { requestId, tenantId, ...text });
  if (effects.queued.length > 0) wakeOutbox();
}

function readJobs(tx: Tx, which: Prisma.Sql): Promise<JobRow[]> {
  return tx.$queryRaw<JobRow[]>`
    SELECT j."id"::text, j."number", j."conversationId"::text, j."summary", j."type", j."location", j."requestedTime",
      j."customerName", j."urgency", j."status"::text, j."answeredAt", j."createdAt", j."updatedAt"
    FROM "Job" j WHERE ${which}`;
}
