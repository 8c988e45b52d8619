import { z } from "zod";
import { UNLIMITED } from "../limits/plans.ts";
import { planName } from "../limits/terms.ts";
import { id, ourNumber, phone, time } from "./fields.ts";

/** Of a person or a business. It stands in the middle of texts. */
const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, "must be one line, without control characters");
const rate = z.strictObject({
  max: z.int().min(1).max(10_000),
  windowSeconds: z.int().min(1).max(86_400),
});

/** What differs from the plan; null is the plan's. */
const limitFields = {
  monthlyMessages: z
    .int()
    .min(UNLIMITED)
    .nullable()
    .meta({ description: "-1: without limit; null: the plan's" }),
  conversationRate: rate.nullable(),
  senderRate: rate.nullable(),
};

const fields = {
  name,
  operatorPhone: phone,
  locale: z.enum(["en", "fr"]),
  timeZone: z
    .string()
    .refine(isTimeZone, "must be a time zone such as Europe/London")
    .meta({ example: "Europe/London" }),
  region: z.string().refine(isCountry, "must be a country such as GB").meta({ example: "GB" }),
  plan: planName,
};
/** What it must be beyond this is the channel's to say. */
const reengagementTemplate = z
  .strictObject({
    name: z.string(),
    language: z.string().meta({ example: "fr" }),
    components: z.array(z.unknown()).optional(),
  })
  .meta({
    id: "ReengagementTemplate",
    description: "Sent instead of a reply that comes too late for a free-form message",
  });
export type ReengagementTemplate = z.output<typeof reengagementTemplate>;

const people = { ownerName: name.nullable(), secondContactPhone: phone.nullable() };

export const newTenant = z
  .strictObject({
    ...fields,
    locale: fields.locale.default("en"),
    timeZone: fields.timeZone.default("Europe/London"),
    region: fields.region.default("GB"),
    plan: fields.plan.default("starter"),
    ownerName: people.ownerName.default(null),
    secondContactPhone: people.secondContactPhone.default(null),
    reengagementTemplate: reengagementTemplate.nullable().default(null),
  })
  .meta({ id: "NewTenant" });

export const tenantChange = z
  .strictObject({
    ...fields,
    ...people,
    outboundPaused: z.boolean(),
    aiDisabled: z.boolean(),
    reengagementTemplate: reengagementTemplate.nullable(),
    limits: z.strictObject(limitFields).partial(),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, "must change something")
  .meta({ id: "TenantChange" });

export type TenantChange = z.output<typeof tenantChange>;

export const tenant = z
  .object({
    id,
    name: z.string(),
    operatorPhone: z.string(),
    ownerName: z.string().nullable(),
    secondContactPhone: z.string().nullable(),
    locale: z.string(),
    timeZone: z.string(),
    region: z.string(),
    plan: z.string(),
    outboundPaused: z.boolean(),
    aiDisabled: z.boolean(),
    limits: z.object({
      monthlyMessages: limitFields.monthlyMessages.default(null),
      conversationRate: rate.nullable().default(null),
      senderRate: rate.nullable().default(null),
    }),
    reengagementTemplate: reengagementTemplate.nullable(),
    numbers: z.array(ourNumber),
    createdAt: time,
  })
  .meta({ id: "Tenant" });

export type TenantRow = z.input<typeof tenant>;

/** What fills the gaps of a template may name somebody. */
const PERSONAL = new Set([
  "name",
  "operatorPhone",
  "ownerName",
  "secondContactPhone",
  "reengagementTemplate",
]);

/** What the audit keeps of a change: the fields, and the values that tell nothing about a person. */
export function auditOf(change: object): Record<string, unknown> {
  const entries = Object.entries(change);
  return {
    fields: entries.map(([field]) => field),
    values: Object.fromEntries(entries.filter(([field]) => !PERSONAL.has(field))),
  };
}

/** Codes that a country may seem to have and that stand for none: https://www.unicode.org/reports/tr35/#unicode_region_subtag_validity */
const NO_COUNTRY = new Set(["EU", "EZ", "QO", "UK", "UN", "XA", "XB", "ZZ"]);
const countryNames = new Intl.DisplayNames("en", { type: "region", fallback: "none" });

function isCountry(code: string): boolean {
  return /^[A-Z]{2}$/.test(code) && !NO_COUNTRY.has(code) && countryNames.of(code) !== undefined;
}

function isTimeZone(zone: string): boolean {
  try {
    return Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
