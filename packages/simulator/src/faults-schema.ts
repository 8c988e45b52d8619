import { z } from "zod";

const times = z.int().positive().exactOptional();
const errorStatus = z.int().min(400).max(599);
const milliseconds = z.number().nonnegative();

/** What a create request may meet under `mix`. Errors and `reset` strike before the text is accepted. */
const MIXED_FAULTS = [
  "ok",
  /** 503 with Twilio's 20503. */
  "error-503",
  /** 429 with Twilio's 20429 and a Retry-After of 1 s. */
  "error-429",
  "reset",
  "accept-then-reset",
  "accept-then-hang",
  "garbage-201",
  /** A 500 without a Twilio code, though the text was accepted. */
  "error-after-accept",
] as const;

const weights = z
  .partialRecord(z.enum(MIXED_FAULTS), z.number().nonnegative())
  .refine((given) => Object.values(given).some((weight) => weight > 0), "all weights are 0");

const twilioFault = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none") }),
  /** Refused before it was processed. */
  z.strictObject({
    kind: z.literal("error"),
    status: errorStatus,
    code: z.int().exactOptional(),
    retryAfterSeconds: z.number().nonnegative().exactOptional(),
    times,
  }),
  /** Accepted, then an error that does not say so; without `code` it is not even in Twilio's shape. */
  z.strictObject({
    kind: z.literal("error-after-accept"),
    status: errorStatus,
    code: z.int().exactOptional(),
    times,
  }),
  /** Accepted, then the connection is reset: the client cannot know. */
  z.strictObject({ kind: z.literal("accept-then-reset"), times }),
  z.strictObject({ kind: z.literal("accept-then-hang"), times }),
  /** Accepted, but the 201 carries HTML instead of the message. */
  z.strictObject({ kind: z.literal("garbage-201"), times }),
  /** Reset before it was processed. */
  z.strictObject({ kind: z.literal("reset"), times }),
  /** Each create request draws one of these by weight. The same `seed` repeats the same draws. */
  z.strictObject({ kind: z.literal("mix"), weights, seed: z.int().exactOptional() }),
]);

const modelFault = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none") }),
  z.strictObject({ kind: z.literal("error"), status: errorStatus, times }),
  z.strictObject({ kind: z.literal("hang"), times }),
  /** A complete answer whose content is not the JSON that was asked for. */
  z.strictObject({ kind: z.literal("invalid-output"), times }),
  z.strictObject({ kind: z.literal("refusal"), times }),
]);

/** How receipts travel. What is absent is as with `true`: at once, in order, each once, ending in `delivered`. */
const receiptPlan = z.strictObject({
  /** Each receipt is posted between these two, ms after the acceptance. Default 0; the later at least the earlier. */
  minDelayMs: milliseconds.exactOptional(),
  maxDelayMs: milliseconds.exactOptional(),
  /** Extra copies of each receipt. */
  repeat: z.int().min(0).max(3).exactOptional(),
  /** In any order, not waiting for each other: `delivered` may arrive before `sent`. */
  shuffle: z.boolean().exactOptional(),
  /** The share of receipts that are never posted; each copy is lost by itself. */
  loseShare: z.number().min(0).max(1).exactOptional(),
  /** The first receipt is posted at once, and the create request is answered only after it was. */
  beforeAnswer: z.boolean().exactOptional(),
  /** How the text ends. `failed` comes without a `sent` before it. */
  final: z.enum(["delivered", "undelivered", "failed"]).exactOptional(),
  /** Why it failed; default 30008, Twilio's "unknown error". */
  errorCode: z.int().exactOptional(),
});

/** What may be switched on. `times` is how often a fault strikes before it ends by itself; absent: until changed. */
export const faultsSchema = z.strictObject({
  twilio: twilioFault,
  /** Milliseconds before a create request is looked at; it is processed even if the client has gone by then. */
  twilioDelayMs: milliseconds,
  /** Recipient → Twilio code: a create request to that number is refused with it, whatever `twilio` says. */
  refusals: z.record(z.string(), z.int()),
  /** Every list request is answered with this HTTP status; null: none is. */
  listErrorStatus: errorStatus.nullable(),
  /** No page of a list is longer than this, whatever the client asks for; null: Twilio's 1000. */
  listPageLimit: z.int().positive().nullable(),
  /** Post receipts to the StatusCallback of each accepted message. */
  receipts: z.union([z.boolean(), receiptPlan]),
  /** `lost`: inbound texts are in Twilio's log, and no webhook is requested. */
  webhooks: z.enum(["delivered", "lost"]),
  model: modelFault,
  /** Milliseconds the model takes to answer. */
  modelDelayMs: milliseconds,
});

export type Faults = z.infer<typeof faultsSchema>;
export type ReceiptPlan = z.infer<typeof receiptPlan>;
/** What one create request meets. */
export type TwilioFault = Exclude<Faults["twilio"], { kind: "mix" }>;
export type MixedFault = (typeof MIXED_FAULTS)[number];
