import twilio from "twilio";
import type { Locale } from "../texts/fill.ts";

const LANGUAGES = { en: "en-GB", fr: "fr-FR" } as const satisfies Record<Locale, string>;
/**
 * Seconds the operator's phone rings. After about 20 a phone's own voicemail answers, and the call
 * would count as answered.
 */
const RING_SECONDS = 18;

/** Says a text to the caller and hangs up. */
export function sayAndHangUp(text: string, locale: Locale): string {
  const twiml = new twilio.twiml.VoiceResponse();
  twiml.say({ language: LANGUAGES[locale] }, storable(text));
  twiml.hangup();
  return twiml.toString();
}

/**
 * Rings the operator. The caller hears the ringing until a person answers, so a call that nobody
 * takes is not answered by us either.
 *
 * @param phone E.164
 * @param action URL that is asked for what comes next, once the call to the operator has ended
 */
export function ringOperator(phone: string, action: string): string {
  const twiml = new twilio.twiml.VoiceResponse();
  twiml.dial({ timeout: RING_SECONDS, answerOnBridge: true, action, method: "POST" }).number(phone);
  return twiml.toString();
}

/** Ends the call without a word. */
export function hangUp(): string {
  const twiml = new twilio.twiml.VoiceResponse();
  twiml.hangup();
  return twiml.toString();
}

/** XML has no place for control characters and lone surrogates: the SDK throws on them. */
function storable(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}|\p{Surrogate}/gu, "");
}
