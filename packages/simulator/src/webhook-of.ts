import type { NumberBook, SimulatedNumber } from "./numbers.ts";

/**
 * Where Twilio sends a text that reaches this number.
 * @throws RangeError when the number is not the account's or has no webhook, with what to do
 */
export function webhookOf(
  numbers: NumberBook,
  phoneNumber: string,
): { webhookUrl: string; fallbackUrl?: string } {
  const number = ownNumber(numbers, phoneNumber, "a webhookUrl");
  if (number.smsApplicationSid !== "") {
    throw new RangeError(`${phoneNumber} has an SmsApplicationSid, which goes before its SmsUrl`);
  }
  if (number.smsUrl === "") {
    throw new RangeError(`${phoneNumber} has no SmsUrl: provision it, or pass a webhookUrl`);
  }
  if (number.smsMethod !== "POST" || number.smsFallbackMethod !== "POST") throw onlyPost(number);
  const { smsUrl, smsFallbackUrl } = number;
  return {
    webhookUrl: smsUrl,
    ...(smsFallbackUrl === "" ? {} : { fallbackUrl: smsFallbackUrl }),
  };
}

/**
 * What Twilio requests about a call to this number; null for what is not set.
 * @throws RangeError when the number is not the account's or has neither, with what to do
 */
export function voiceWebhooksOf(
  numbers: NumberBook,
  phoneNumber: string,
): { voiceUrl: string | null; statusUrl: string | null } {
  const number = ownNumber(numbers, phoneNumber, "a voiceUrl");
  if (number.voiceApplicationSid !== "") {
    throw new RangeError(
      `${phoneNumber} has a VoiceApplicationSid, which goes before its VoiceUrl`,
    );
  }
  const { voiceUrl, statusCallback } = number;
  if (voiceUrl === "" && statusCallback === "") {
    throw new RangeError(`${phoneNumber} has no VoiceUrl: provision it, or pass a voiceUrl`);
  }
  if (number.voiceMethod !== "POST" || number.statusCallbackMethod !== "POST") {
    throw onlyPost(number);
  }
  return { voiceUrl: voiceUrl || null, statusUrl: statusCallback || null };
}

function ownNumber(numbers: NumberBook, phoneNumber: string, instead: string): SimulatedNumber {
  const number = numbers.find(phoneNumber);
  if (number) return number;
  throw new RangeError(
    `${phoneNumber} is not a number of the account: add and provision it, or pass ${instead}`,
  );
}

function onlyPost({ phoneNumber }: SimulatedNumber): RangeError {
  return new RangeError(`${phoneNumber} is configured for GET, which the simulator does not do`);
}
