import type { NumberBook } from "./numbers.ts";

/**
 * Where Twilio sends a text that reaches this number.
 * @throws RangeError when the number is not the account's or has no webhook, with what to do
 */
export function webhookOf(
  numbers: NumberBook,
  phoneNumber: string,
): { webhookUrl: string; fallbackUrl?: string } {
  const number = numbers.find(phoneNumber);
  if (!number) {
    throw new RangeError(
      `${phoneNumber} is not a number of the account: add and provision it, or pass a webhookUrl`,
    );
  }
  if (number.smsApplicationSid !== "") {
    throw new RangeError(`${phoneNumber} has an SmsApplicationSid, which goes before its SmsUrl`);
  }
  if (number.smsUrl === "") {
    throw new RangeError(`${phoneNumber} has no SmsUrl: provision it, or pass a webhookUrl`);
  }
  if (number.smsMethod !== "POST" || number.smsFallbackMethod !== "POST") {
    throw new RangeError(`${phoneNumber} is configured for GET, which the simulator does not do`);
  }
  const { smsUrl, smsFallbackUrl } = number;
  return {
    webhookUrl: smsUrl,
    ...(smsFallbackUrl === "" ? {} : { fallbackUrl: smsFallbackUrl }),
  };
}
