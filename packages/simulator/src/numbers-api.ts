import type { IncomingMessage, ServerResponse } from "node:http";
import type { FaultSwitch } from "./faults.ts";
import { readBody, sendJson } from "./http.ts";
import type { NumberBook, NumberWebhooks, SimulatedNumber } from "./numbers.ts";
import { answerPage } from "./page.ts";
import type { TwilioAccount } from "./twilio-api.ts";
import { sendTwilioError } from "./twilio-error.ts";

/** Our name of a setting → Twilio's name of its form parameter. */
const PARAMETERS: Record<keyof NumberWebhooks, string> = {
  smsUrl: "SmsUrl",
  smsMethod: "SmsMethod",
  smsFallbackUrl: "SmsFallbackUrl",
  smsFallbackMethod: "SmsFallbackMethod",
  voiceUrl: "VoiceUrl",
  voiceMethod: "VoiceMethod",
  statusCallback: "StatusCallback",
  statusCallbackMethod: "StatusCallbackMethod",
  smsApplicationSid: "SmsApplicationSid",
  voiceApplicationSid: "VoiceApplicationSid",
};

export interface NumbersApiDeps {
  account: TwilioAccount;
  numbers: NumberBook;
  faults: FaultSwitch;
}

/** Answers `GET IncomingPhoneNumbers.json`; `PhoneNumber` may be a part of a number, with `*` for any digit. */
export function listNumbers(deps: NumbersApiDeps, response: ServerResponse, url: URL): void {
  const part = url.searchParams.get("PhoneNumber") ?? "";
  const digits = part.replace(/[^\d*]/g, "").replaceAll("*", "\\d");
  const pattern = new RegExp(digits);
  answerPage(deps.faults, response, url, {
    key: "incoming_phone_numbers",
    items: deps.numbers.all().filter(({ phoneNumber }) => pattern.test(phoneNumber)),
    resource: (number) => numberResource(deps.account.accountSid, number),
  });
}

/** Answers `POST IncomingPhoneNumbers/{Sid}.json`: changes what the form names, or nothing when it is refused. */
export async function updateNumber(
  deps: NumbersApiDeps,
  number: SimulatedNumber,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const form = new URLSearchParams(await readBody(request));
  const changed: Partial<NumberWebhooks> = {};
  for (const [key, parameter] of Object.entries(PARAMETERS) as [keyof NumberWebhooks, string][]) {
    const value = form.get(parameter);
    if (value !== null) changed[key] = value;
  }
  const refusal = deps.numbers.update(number, changed);
  if (refusal) sendTwilioError(response, 400, refusal.code, refusal.message);
  else sendJson(response, 200, numberResource(deps.account.accountSid, number));
}

/**
 * A number as Twilio's REST API shows it
 * (https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource).
 */
export function numberResource(accountSid: string, number: SimulatedNumber) {
  const { sid, phoneNumber } = number;
  return {
    account_sid: accountSid,
    api_version: "2010-04-01",
    capabilities: { fax: false, mms: true, sms: true, voice: true },
    friendly_name: phoneNumber,
    phone_number: phoneNumber,
    sid,
    sms_application_sid: number.smsApplicationSid,
    sms_fallback_method: number.smsFallbackMethod,
    sms_fallback_url: number.smsFallbackUrl,
    sms_method: number.smsMethod,
    sms_url: number.smsUrl,
    status: "in-use",
    status_callback: number.statusCallback,
    status_callback_method: number.statusCallbackMethod,
    uri: `/2010-04-01/Accounts/${accountSid}/IncomingPhoneNumbers/${sid}.json`,
    voice_application_sid: number.voiceApplicationSid,
    voice_method: number.voiceMethod,
    voice_url: number.voiceUrl,
  };
}
