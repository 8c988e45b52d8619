import { z } from "zod";

const times = z.int().positive().exactOptional();
const errorStatus = z.int().min(400).max(599);

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
  /** Accepted, then the connection is reset: the client cannot know. */
  z.strictObject({ kind: z.literal("accept-then-reset"), times }),
  z.strictObject({ kind: z.literal("accept-then-hang"), times }),
  /** Accepted, but the 201 carries HTML instead of the message. */
  z.strictObject({ kind: z.literal("garbage-201"), times }),
  /** Reset before it was processed. */
  z.strictObject({ kind: z.literal("reset"), times }),
]);

const modelFault = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none") }),
  z.strictObject({ kind: z.literal("error"), status: errorStatus, times }),
  z.strictObject({ kind: z.literal("hang"), times }),
  /** A complete answer whose content is not the JSON that was asked for. */
  z.strictObject({ kind: z.literal("invalid-output"), times }),
  z.strictObject({ kind: z.literal("refusal"), times }),
]);

/** What may be switched on. `times` is how often a fault strikes before it ends by itself; absent: until changed. */
export const faultsSchema = z.strictObject({
  twilio: twilioFault,
  /** Milliseconds before a create request is looked at; it is processed even if the client has gone by then. */
  twilioDelayMs: z.number().nonnegative(),
  model: modelFault,
  /** Milliseconds the model takes to answer. */
  modelDelayMs: z.number().nonnegative(),
  /** Post `sent` and `delivered` to the StatusCallback of each accepted message. */
  receipts: z.boolean(),
});

export type Faults = z.infer<typeof faultsSchema>;

const NO_FAULTS: Faults = {
  twilio: { kind: "none" },
  twilioDelayMs: 0,
  model: { kind: "none" },
  modelDelayMs: 0,
  receipts: false,
};

/** The faults in force, counted down as they strike. */
export class FaultSwitch {
  #faults: Faults = structuredClone(NO_FAULTS);

  /** Changes the named faults and leaves the others. */
  set(changed: Partial<Faults>): void {
    this.#faults = { ...this.#faults, ...structuredClone(changed) };
  }

  clear(): void {
    this.set(NO_FAULTS);
  }

  get current(): Readonly<Faults> {
    return this.#faults;
  }

  /** The fault that strikes the next create request; uses up one of its `times`. */
  nextTwilio(): Faults["twilio"] {
    const fault = this.#faults.twilio;
    if (isUsedUp(fault)) this.#faults.twilio = { kind: "none" };
    return fault;
  }

  /** The fault that strikes the next model call; uses up one of its `times`. */
  nextModel(): Faults["model"] {
    const fault = this.#faults.model;
    if (isUsedUp(fault)) this.#faults.model = { kind: "none" };
    return fault;
  }
}

function isUsedUp(fault: { kind: string; times?: number }): boolean {
  if (fault.times === undefined) return false;
  fault.times -= 1;
  return fault.times <= 0;
}
