import type { Database } from "@jobrun/db";
import type { NumberWebhooks, ProviderNumber, ProviderNumbers } from "@jobrun/messaging";

export type WebhookField = keyof NumberWebhooks;

/** A number of the pool as the provider has it. */
export type NumberComparison = FoundNumber | MissingNumber;

interface FoundNumber {
  phoneNumber: string;
  state: "ok" | "differs";
  sid: string;
  before: NumberWebhooks;
  differences: WebhookField[];
}

/** The provider's account does not have it. */
interface MissingNumber {
  phoneNumber: string;
  state: "missing";
  sid: null;
  before: null;
  differences: never[];
}

/** What became of a number of the pool. */
export type NumberProvision =
  | (MissingNumber & { outcome: "missing" })
  | (FoundNumber & { outcome: "unchanged" })
  | (FoundNumber & { outcome: "updated"; after: NumberWebhooks })
  /** Its configuration is not known to be as it should be. */
  | (FoundNumber & { outcome: "failed"; reason: string });

/**
 * Twilio's connection overrides, which no signature covers: two more tries after a 5xx, a failed
 * connection or 10 s of silence, all within 15 s. Without them a 500 is not tried again.
 * https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
 */
export const CONNECTION_OVERRIDES = "#rc=2&rp=5xx,ct,rt&rt=10000&tt=15000";

/**
 * How every number of ours must be set at Twilio.
 *
 * @param publicBaseUrl PUBLIC_BASE_URL, with or without a slash at its end
 */
export function expectedWebhooks(publicBaseUrl: string): NumberWebhooks {
  const base = publicBaseUrl.replace(/\/$/, "");
  return {
    smsUrl: `${base}/sms${CONNECTION_OVERRIDES}`,
    smsMethod: "POST",
    smsFallbackUrl: `${base}/sms/fallback${CONNECTION_OVERRIDES}`,
    smsFallbackMethod: "POST",
    voiceUrl: `${base}/api/twilio/voice${CONNECTION_OVERRIDES}`,
    voiceMethod: "POST",
    statusCallback: `${base}/api/twilio/status${CONNECTION_OVERRIDES}`,
    statusCallbackMethod: "POST",
    // Twilio ignores a number's own URLs while an application is set, so none may be.
    // https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
    smsApplicationSid: "",
    voiceApplicationSid: "",
  };
}

/**
 * Compares every number of the pool with how it must be set. Changes nothing.
 *
 * @returns in the order of the numbers
 * @throws Error when the provider's list or the pool cannot be read
 */
export async function compareNumbers(
  db: Database,
  numbers: ProviderNumbers,
  publicBaseUrl: string,
  signal: AbortSignal,
): Promise<NumberComparison[]> {
  const [pool, listed] = await Promise.all([
    db.service.twilioNumber.findMany({
      select: { phoneNumber: true },
      orderBy: { phoneNumber: "asc" },
    }),
    numbers.list(signal),
  ]);
  const byNumber = new Map(listed.map((number) => [number.phoneNumber, number]));
  const expected = expectedWebhooks(publicBaseUrl);
  return pool.map(({ phoneNumber }) => compare(phoneNumber, byNumber.get(phoneNumber), expected));
}

/**
 * Sets every number of the pool that differs. One that fails does not keep the others from it.
 *
 * @returns in the order of the numbers, with how each was and is set
 * @throws Error when the provider's list or the pool cannot be read: nothing was changed
 */
export async function provisionNumbers(
  db: Database,
  numbers: ProviderNumbers,
  publicBaseUrl: string,
  signal: AbortSignal,
): Promise<NumberProvision[]> {
  const expected = expectedWebhooks(publicBaseUrl);
  const results: NumberProvision[] = [];
  for (const comparison of await compareNumbers(db, numbers, publicBaseUrl, signal)) {
    results.push(await provisionOne(comparison, numbers, expected, signal));
  }
  return results;
}

async function provisionOne(
  comparison: NumberComparison,
  numbers: ProviderNumbers,
  expected: NumberWebhooks,
  signal: AbortSignal,
): Promise<NumberProvision> {
  if (comparison.state === "missing") return { ...comparison, outcome: "missing" };
  if (comparison.state === "ok") return { ...comparison, outcome: "unchanged" };
  try {
    // All of it, also what is right already: Twilio refuses a fallback without its URL (21406).
    const { webhooks } = await numbers.update(comparison.sid, expected, signal);
    const ignored = differencesOf(webhooks, expected);
    return ignored.length === 0
      ? { ...comparison, outcome: "updated", after: webhooks }
      : { ...comparison, outcome: "failed", reason: `Twilio did not take ${ignored.join(", ")}` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ...comparison, outcome: "failed", reason };
  }
}

function compare(
  phoneNumber: string,
  number: ProviderNumber | undefined,
  expected: NumberWebhooks,
): NumberComparison {
  if (number === undefined)
    return { phoneNumber, state: "missing", sid: null, before: null, differences: [] };
  const { sid, webhooks } = number;
  const differences = differencesOf(webhooks, expected);
  const state = differences.length === 0 ? "ok" : "differs";
  return { phoneNumber, state, sid, before: webhooks, differences };
}

function differencesOf(actual: NumberWebhooks, expected: NumberWebhooks): WebhookField[] {
  return (Object.keys(expected) as WebhookField[]).filter(
    (field) => actual[field] !== expected[field],
  );
}
