import type { NumberWebhooks } from "@jobrun/messaging";
import {
  CONNECTION_OVERRIDES,
  expectedWebhooks,
  type NumberComparison,
  type NumberProvision,
  type WebhookField,
} from "../../apps/backend/src/numbers/provision.ts";
import { table, type Entry } from "./table.ts";

export interface Report {
  /** For a person at a terminal. */
  lines: string[];
  /** Every number is set as it should be. */
  isFine: boolean;
}

export interface Layout {
  publicBaseUrl: string;
  /** Columns of the terminal. */
  width: number;
}

/** A setting as a person knows it: a URL with its method, or an application. */
interface Setting {
  label: string;
  field: WebhookField;
  method?: WebhookField;
}

const settings: Setting[] = [
  { label: "SMS", field: "smsUrl", method: "smsMethod" },
  { label: "SMS fallback", field: "smsFallbackUrl", method: "smsFallbackMethod" },
  { label: "voice", field: "voiceUrl", method: "voiceMethod" },
  { label: "call status", field: "statusCallback", method: "statusCallbackMethod" },
  { label: "SMS application", field: "smsApplicationSid" },
  { label: "voice application", field: "voiceApplicationSid" },
];
/** Our own URLs begin and end alike: that is said once below the table, not in every cell. */
const SHORT_OVERRIDES = "#…";
const NOT_SET = "not set";
const MISSING = "not in this Twilio account";

const adviceOnMissing =
  'For a number that is not in the account: correct TWILIO_ACCOUNT_SID, or, if the number was\n  given up, take it out of "TwilioNumberPool".';

/** What `pnpm provision --check` prints. */
export function comparisonReport(comparisons: NumberComparison[], layout: Layout): Report {
  const expected = expectedWebhooks(layout.publicBaseUrl);
  const entries = comparisons.map((comparison): Entry => {
    const { phoneNumber: name } = comparison;
    if (comparison.state === "missing") return { name, note: MISSING };
    if (comparison.state === "ok") return { name, note: "ok" };
    return { name, rows: rowsOf(comparison.before, expected, layout) };
  });
  const count = countBy(comparisons, ({ state }) => state);
  const isFine = count("ok") === comparisons.length;
  return {
    isFine,
    lines: [
      ...shown(entries, ["number", "setting", "is", "should be"], layout),
      isFine
        ? allRight(comparisons.length, layout)
        : `${summary(comparisons.length, [
            part(count("differs"), "differs", "differ"),
            part(count("missing"), `is ${MISSING}`, `are ${MISSING}`),
            part(count("ok"), "is right", "are right"),
          ])} Nothing was changed.`,
      ...toDo([
        count("differs") > 0 && "Run `pnpm provision`: it sets the numbers that differ.",
        count("missing") > 0 && adviceOnMissing,
      ]),
    ],
  };
}

/** What `pnpm provision` prints. */
export function provisionReport(provisions: NumberProvision[], layout: Layout): Report {
  const entries = provisions.map((provision): Entry => {
    const { phoneNumber: name } = provision;
    switch (provision.outcome) {
      case "missing":
        return { name, note: MISSING };
      case "unchanged":
        return { name, note: "ok" };
      case "failed":
        return { name, note: `failed: ${provision.reason}` };
      case "updated":
        return { name, rows: rowsOf(provision.before, provision.after, layout) };
    }
  });
  const count = countBy(provisions, ({ outcome }) => outcome);
  const isFine = count("failed") + count("missing") === 0;
  return {
    isFine,
    lines: [
      ...shown(entries, ["number", "setting", "before", "after"], layout),
      isFine && count("updated") === 0
        ? `${allRight(provisions.length, layout)} Nothing was changed.`
        : summary(provisions.length, [
            part(count("updated"), "was set", "were set"),
            part(count("failed"), "failed", "failed"),
            part(count("missing"), `is ${MISSING}`, `are ${MISSING}`),
            part(count("unchanged"), "was right", "were right"),
          ]),
      ...toDo([
        count("failed") > 0 &&
          "For a number that failed: remove the reason and run `pnpm provision` again.",
        count("missing") > 0 && adviceOnMissing,
      ]),
      ...(count("updated") > 0
        ? ["", "A gateway that reported the difference looks again within 5 minutes."]
        : []),
    ],
  };
}

/** What differs between two configurations, setting by setting. */
function rowsOf(before: NumberWebhooks, after: NumberWebhooks, { publicBaseUrl }: Layout) {
  return settings
    .map((setting) => ({
      label: setting.label,
      before: valueOf(before, setting, publicBaseUrl),
      after: valueOf(after, setting, publicBaseUrl),
    }))
    .filter((row) => row.before !== row.after);
}

function valueOf(webhooks: NumberWebhooks, { field, method }: Setting, base: string): string {
  const value = webhooks[field];
  if (value === "") return NOT_SET;
  const path = value.startsWith(`${base}/`) ? value.slice(base.length) : value;
  const short = path.replace(CONNECTION_OVERRIDES, SHORT_OVERRIDES);
  return method === undefined ? short : `${webhooks[method]} ${short}`;
}

function shown(entries: Entry[], heads: [string, string, string, string], layout: Layout) {
  if (entries.length === 0) return [];
  const legend = [
    `/…  is at ${layout.publicBaseUrl}`,
    `${SHORT_OVERRIDES}  is ${CONNECTION_OVERRIDES}: Twilio tries again after a 5xx, a failed`,
    "    connection or 10 s of silence",
    "",
  ];
  const isShortened = entries.some((entry) => "rows" in entry);
  return [...table(entries, heads, layout.width), "", ...(isShortened ? legend : [])];
}

/** "3 numbers: 2 differ, 1 is right." */
function summary(total: number, parts: (string | null)[]): string {
  const numbers = total === 1 ? "1 number" : `${total} numbers`;
  return `${numbers}: ${parts.filter((text) => text !== null).join(", ")}.`;
}

function allRight(count: number, { publicBaseUrl }: Layout): string {
  if (count === 0) return 'The pool ("TwilioNumberPool") has no numbers.';
  const numbers = count === 1 ? "The number is" : `All ${count} numbers are`;
  return `${numbers} set to reach ${publicBaseUrl}.`;
}

function countBy<T>(items: T[], kindOf: (item: T) => string): (kind: string) => number {
  return (kind) => items.filter((item) => kindOf(item) === kind).length;
}

/** null when there are none. */
function part(count: number, one: string, more: string): string | null {
  return count === 0 ? null : `${count} ${count === 1 ? one : more}`;
}

function toDo(advice: (string | false)[]): string[] {
  const given = advice.filter((text) => text !== false);
  return given.length === 0 ? [] : ["", "To do:", ...given.map((text) => `  ${text}`)];
}
