import twilio from "twilio";
import { z } from "zod";
import {
  checkAccount,
  createClient,
  failureCode,
  REQUEST_TIMEOUT_MS,
  type TwilioAccount,
} from "./client.ts";
import { Interrupted, within } from "./within.ts";

/** Where Twilio turns to for a number. Each is "" when it is not set. */
export interface NumberWebhooks {
  smsUrl: string;
  smsMethod: string;
  smsFallbackUrl: string;
  smsFallbackMethod: string;
  voiceUrl: string;
  voiceMethod: string;
  statusCallback: string;
  statusCallbackMethod: string;
  /** When set, Twilio ignores the number's own SMS URLs. */
  smsApplicationSid: string;
  /** When set, Twilio ignores the number's own voice URLs. */
  voiceApplicationSid: string;
}

/** A number of the account. */
export interface ProviderNumber {
  /** "PN…" */
  sid: string;
  /** E.164 with "+". */
  phoneNumber: string;
  webhooks: NumberWebhooks;
}

/** The numbers of the account. Errors name no secret; nothing is tried twice. */
export interface ProviderNumbers {
  /** All of them. @throws Error when the list cannot be had as a whole. */
  list(signal: AbortSignal): Promise<ProviderNumber[]>;

  /**
   * Changes what is given, leaves the rest, and returns the number as it is then.
   *
   * @throws Error when Twilio does not confirm it. The change may have been made all the same.
   */
  update(
    sid: string,
    webhooks: Partial<NumberWebhooks>,
    signal: AbortSignal,
  ): Promise<ProviderNumber>;
}

/**
 * The numbers of a Twilio account
 * (https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource).
 *
 * @throws TypeError when the account SID is not "AC…", the address is no URL, or a token is missing.
 */
export function twilioNumbers(account: TwilioAccount): ProviderNumbers {
  checkAccount(account);
  const client = createClient(
    account,
    new twilio.RequestClient({ timeout: REQUEST_TIMEOUT_MS, autoRetry: false }),
  );

  return {
    list: (signal) =>
      named("list its numbers", async () => {
        const numbers: ProviderNumber[] = [];
        let next: string | undefined;
        do {
          const resource = client.incomingPhoneNumbers;
          const page = await answered(
            () => (next === undefined ? resource.page({ pageSize: 1000 }) : resource.getPage(next)),
            signal,
          );
          numbers.push(...page.instances.map(readNumber));
          next = page.nextPageUrl;
        } while (next !== undefined);
        return numbers;
      }),

    update: (sid, webhooks, signal) =>
      named(`update the number ${sid}`, async () =>
        readNumber(await answered(() => client.incomingPhoneNumbers(sid).update(webhooks), signal)),
      ),
  };
}

async function answered<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw new NoAnswer("aborted");
  const answer = await within(request(), REQUEST_TIMEOUT_MS, signal);
  if (answer instanceof Interrupted) throw new NoAnswer(answer.by);
  return answer;
}

class NoAnswer extends Error {}

/** The original error is no cause of the new one: its request carries the auth token. */
function named<T>(task: string, work: () => Promise<T>): Promise<T> {
  return work().catch((error: unknown) => {
    const code = error instanceof NoAnswer ? error.message : failureCode(error);
    throw new Error(`Twilio did not ${task}: ${MEANING[code] ?? code}`);
  });
}

const MEANING: Record<string, string | undefined> = {
  "20003": "the account SID or the auth token is wrong (error 20003)",
  "20404": "the account or the number does not exist (error 20404)",
};

const Text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const Webhooks = z.object({
  smsUrl: Text,
  smsMethod: Text,
  smsFallbackUrl: Text,
  smsFallbackMethod: Text,
  voiceUrl: Text,
  voiceMethod: Text,
  statusCallback: Text,
  statusCallbackMethod: Text,
  smsApplicationSid: Text,
  voiceApplicationSid: Text,
});
const Identity = z.object({ sid: z.string().min(1), phoneNumber: z.string().min(1) });

function readNumber(instance: unknown): ProviderNumber {
  return { ...Identity.parse(instance), webhooks: Webhooks.parse(instance) };
}
