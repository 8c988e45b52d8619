import type { Database } from "@jobrun/db";
import type { Channel, ChannelName } from "@jobrun/messaging";
import type { Logger } from "winston";
import { z } from "zod";
import type { AlertService } from "../alerts/alert-service.ts";
import type { Events } from "../telemetry/events.ts";
import type { Timers } from "../timers/timers.ts";
import { AdminError, notFound, type Detail } from "./admin-error.ts";
import { wordingOf } from "./wording-of.ts";
import type { Principal } from "./token.ts";

export interface AdminDeps {
  db: Database;
  /** JWT_SECRET; without it every route answers 503 */
  jwtSecret: string | undefined;
  channels: ReadonlyMap<ChannelName, Channel>;
  timers: Timers;
  events: Events;
  alerts: Pick<AlertService, "resolve">;
  logger: Logger;
  /** Called after a commit that queued texts */
  wakeOutbox: () => void;
  /** E.164, the gateway's own senders: never a tenant's */
  excluded: readonly string[];
}

/** Who asks, and the id that the answer, the audit and the log carry. */
export interface Context {
  deps: AdminDeps;
  principal: Principal;
  requestId: string;
}

/** A route, and all that its documentation is made of. */
export interface Route {
  method: "get" | "post" | "patch" | "delete";
  /** As Express writes it, below /api/v1 */
  path: string;
  summary: string;
  /** The least that is needed: a super-admin may do what an admin may, for any tenant. */
  role: "super-admin" | "admin";
  params: z.ZodObject;
  query: z.ZodObject;
  body: z.ZodType | null;
  /** What each status of success means; all but 204 carry `answer`. */
  answers: Partial<Record<SuccessStatus, string>>;
  answer: z.ZodType | null;
  /** @throws AdminError */
  run(context: Context, raw: Raw): Promise<{ status: SuccessStatus; body: unknown }>;
}

type SuccessStatus = 200 | 201 | 202 | 204;

interface Raw {
  params: unknown;
  query: unknown;
  body: unknown;
}

const nothing = z.strictObject({});

type Definition<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  A extends z.ZodType,
> = Pick<Route, "method" | "path" | "summary" | "role" | "answers"> & {
  params?: P;
  query?: Q;
  body?: B;
  answer?: A;
  handle(
    context: Context,
    input: { params: z.output<P>; query: z.output<Q>; body: z.output<B> },
  ): Promise<{ status: SuccessStatus; body?: z.input<A> }>;
};

/**
 * Defines a route. Its schemas check what comes in, shape what goes out, and are its documentation.
 *
 * @param definition `handle` gets checked input; what `answer` does not name is left out of the answer
 */
export function route<
  P extends z.ZodObject = typeof nothing,
  Q extends z.ZodObject = typeof nothing,
  B extends z.ZodType = z.ZodUndefined,
  A extends z.ZodType = z.ZodUndefined,
>(definition: Definition<P, Q, B, A>): Route {
  const { params, query, body, answer, handle, ...rest } = definition;
  return {
    ...rest,
    params: params ?? nothing,
    query: query ?? nothing,
    body: body ?? null,
    answer: answer ?? null,
    run: async (context, raw) => {
      const input = {
        params: readParams<P>(params ?? nothing, raw.params),
        query: read<z.output<Q>>(query ?? nothing, raw.query),
        body: read<z.output<B>>(body ?? z.undefined(), raw.body),
      };
      const reply = await handle(context, input);
      return { status: reply.status, body: answer?.parse(reply.body) };
    },
  };
}

/** The id of a path that is not even an id is nobody's. */
function readParams<P extends z.ZodObject>(schema: z.ZodObject, value: unknown): z.output<P> {
  const result = schema.safeParse(value);
  if (!result.success) throw notFound("resource");
  return result.data as z.output<P>;
}

function read<Output>(schema: z.ZodType, value: unknown): Output {
  const result = schema.safeParse(value, { error: wordingOf });
  if (result.success) return result.data as Output;
  throw new AdminError(
    "invalid",
    "The request is not valid",
    result.error.issues.flatMap(detailsOf),
  );
}

function detailsOf(issue: z.core.$ZodIssue): Detail[] {
  const field = (...last: PropertyKey[]) => [...issue.path, ...last].map(String).join(".");
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({ field: field(key), message: "is not known" }));
  return [{ field: field() || "body", message: issue.message }];
}
