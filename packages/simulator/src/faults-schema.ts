import { z } from "zod";

const times = z.int().positive().exactOptional();
const errorStatus = z.int().min(400).max(599);
const milliseconds = z.number().nonnegative();

/**
 * What a request to send may meet, at any provider.
 *
 * @param garbage the kind whose answer has the status of success and HTML instead of what was sent
 */
function sendFaultOf<const G extends string>(garbage: G) {
  const mixed = [
    "ok",
    /** Refused before it was processed: the provider is down. */
    "error-503",
    /** Refused before it was processed: too many requests. */
    "error-429",
    "reset",
    "accept-then-reset",
    "accept-then-hang",
    garbage,
    /** A 500 without a code, though the text was accepted. */
    "error-after-accept",
  ] as const;
  const weights = z
    .partialRecord(z.enum(mixed), z.number().nonnegative())
    .refine(
      (given) => Object.values(given).some((weight) => Number(weight) > 0),
      "all weights are 0",
    );
  return z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("none") }),
    /** Refused before it was processed. */
    z.strictObject({
      kind: z.literal("error"),
      status: errorStatus,
      code: z.int().exactOptional(),
      retryAfterSeconds: z.number().nonnegative().exactOptional(),
      times,
    }),
    /** Accepted, then an error that does not say so; without `code` it is not even in the provider's shape. */
    z.strictObject({
      kind: z.literal("error-after-accept"),
      status: errorStatus,
      code: z.int().exactOptional(),
      times,
    }),
    /** Accepted, then the connection is reset: the client cannot know. */
    z.strictObject({ kind: z.literal("accept-then-reset"), times }),
    z.strictObject({ kind: z.literal("accept-then-hang"), times }),
    /** Accepted, but the answer carries HTML instead of the message. */
    z.strictObject({ kind: z.literal(garbage), times }),
    /** Reset before it was processed. */
    z.strictObject({ kind: z.literal("reset"), times }),
    /** Each request draws one of these by weight. The same `seed` repeats the same draws. */
    z.strictObject({ kind: z.literal("mix"), weights, seed: z.int().exactOptional() }),
  ]);
}

const twilioFault = sendFaultOf("garbage-201");
const metaFault = sendFaultOf("garbage-200");

const modelFault = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none") }),
  z.strictObject({ kind: z.literal("error"), status: errorStatus, times }),
  z.strictObject({ kind: z.literal("hang"), times }),
  /** A complete answer whose content is not the JSON that was asked for. */
  z.strictObject({ kind: z.literal("invalid-output"), times }),
  z.strictObject({ kind: z.literal("refusal"), times }),
]);

const travel = {
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
};

/** How receipts travel. What is absent is as with `true`: at once, in order, each once, ending in `delivered`. */
const receiptPlan = z.strictObject({
  ...travel,
  /** How the text ends. `failed` comes without a `sent` before it. */
  final: z.enum(["delivered", "undelivered", "failed"]).exactOptional(),
  /** Why it failed; default 30008, Twilio's "unknown error". */
  errorCode: z.int().exactOptional(),
});

/** The same of WhatsApp messages. */
const metaReceiptPlan = z.strictObject({
  ...travel,
  /** How the message ends. `failed` comes without a `sent` before it, `read` after `delivered`. */
  final: z.enum(["delivered", "read", "failed"]).exactOptional(),
  /** Why it failed; default 131026, "undeliverable". */
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
  meta: metaFault,
  /** Milliseconds before a WhatsApp send is looked at; it is processed even if the client has gone by then. */
  metaDelayMs: milliseconds,
  /** Phone number or user id → Meta code: a send to them is refused with it, whatever `meta` says. */
  metaRefusals: z.record(z.string(), z.int()),
  /** Post statuses of each accepted WhatsApp message. */
  metaReceipts: z.union([z.boolean(), metaReceiptPlan]),
  /** What becomes of marking a message read and of the typing indicator; `hanging`: recorded, never answered. */
  metaReads: z.enum(["answered", "refused", "hanging"]),
  model: modelFault,
  /** A request in which the customer says one of these words is answered with 500, whatever `model` says. */
  modelFailsOn: z.array(z.string().min(1)),
  /** Milliseconds the model takes to answer. */
  modelDelayMs: milliseconds,
});

export type Faults = z.infer<typeof faultsSchema>;
export type ReceiptPlan = z.infer<typeof receiptPlan>;
export type MetaReceiptPlan = z.infer<typeof metaReceiptPlan>;
type Mix<F> = Extract<F, { kind: "mix" }>;
/** What one request to send meets. */
export type TwilioFault = Exclude<Faults["twilio"], Mix<Faults["twilio"]>>;
export type MetaFault = Exclude<Faults["meta"], Mix<Faults["meta"]>>;
export type MixedFault = keyof Mix<Faults["twilio"]>["weights"];
export type MetaMixedFault = keyof Mix<Faults["meta"]>["weights"];
