import type {
  Faults,
  MetaFault,
  MetaMixedFault,
  MixedFault,
  TwilioFault,
} from "./faults-schema.ts";
import { seededRandom } from "./random.ts";

const NO_FAULTS: Faults = {
  twilio: { kind: "none" },
  twilioDelayMs: 0,
  refusals: {},
  listErrorStatus: null,
  listPageLimit: null,
  receipts: false,
  webhooks: "delivered",
  meta: { kind: "none" },
  metaDelayMs: 0,
  metaRefusals: {},
  metaReceipts: false,
  metaReads: "answered",
  model: { kind: "none" },
  modelFailsOn: [],
  modelDelayMs: 0,
};

const MIXED = {
  ok: { kind: "none" },
  reset: { kind: "reset" },
  "accept-then-reset": { kind: "accept-then-reset" },
  "accept-then-hang": { kind: "accept-then-hang" },
  "error-after-accept": { kind: "error-after-accept", status: 500 },
} as const;

const TWILIO_MIXED: Record<MixedFault, TwilioFault> = {
  ...MIXED,
  "error-503": { kind: "error", status: 503, code: 20503 },
  "error-429": { kind: "error", status: 429, code: 20429, retryAfterSeconds: 1 },
  "garbage-201": { kind: "garbage-201" },
};

const META_MIXED: Record<MetaMixedFault, MetaFault> = {
  ...MIXED,
  "error-503": { kind: "error", status: 503, code: 131016 },
  "error-429": { kind: "error", status: 429, code: 130429 },
  "garbage-200": { kind: "garbage-200" },
};

/** The faults in force, counted down as they strike. */
export class FaultSwitch {
  #faults: Faults = structuredClone(NO_FAULTS);
  readonly #random = { twilio: Math.random, meta: Math.random };

  /** Changes the named faults and leaves the others. A `mix` begins its draws anew. */
  set(changed: Partial<Faults>): void {
    this.#faults = { ...this.#faults, ...structuredClone(changed) };
    for (const provider of ["twilio", "meta"] as const) {
      const fault = changed[provider];
      if (fault?.kind !== "mix") continue;
      this.#random[provider] = fault.seed === undefined ? Math.random : seededRandom(fault.seed);
    }
  }

  clear(): void {
    this.set(NO_FAULTS);
  }

  get current(): Readonly<Faults> {
    return this.#faults;
  }

  /** The fault that strikes the next create request; uses up one of its `times`, or a draw of a `mix`. */
  nextTwilio(): TwilioFault {
    const fault = this.#faults.twilio;
    if (fault.kind === "mix") return TWILIO_MIXED[draw(fault.weights, this.#random.twilio())];
    if (isUsedUp(fault)) this.#faults.twilio = { kind: "none" };
    return fault;
  }

  /** The fault that strikes the next WhatsApp send; uses up one of its `times`, or a draw of a `mix`. */
  nextMeta(): MetaFault {
    const fault = this.#faults.meta;
    if (fault.kind === "mix") return META_MIXED[draw(fault.weights, this.#random.meta())];
    if (isUsedUp(fault)) this.#faults.meta = { kind: "none" };
    return fault;
  }

  /** The fault that strikes the next model call; uses up one of its `times`. */
  nextModel(): Faults["model"] {
    const fault = this.#faults.model;
    if (isUsedUp(fault)) this.#faults.model = { kind: "none" };
    return fault;
  }
}

/** The key in whose part of the line from 0 to 1 `point` lies; the parts are as long as their weights. */
function draw<K extends string>(weights: Partial<Record<K, number>>, point: number): K | "ok" {
  const entries = Object.entries(weights) as [K, number][];
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  let left = point * total;
  for (const [key, weight] of entries) {
    left -= weight;
    if (left < 0) return key;
  }
  return "ok";
}

function isUsedUp(fault: { kind: string; times?: number }): boolean {
  if (fault.times === undefined) return false;
  fault.times -= 1;
  return fault.times <= 0;
}
