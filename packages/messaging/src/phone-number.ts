import { type CountryCode, parsePhoneNumberFromString } from "libphonenumber-js";

// E.164 allows 15 digits; no subscriber number in use is shorter than 7 with its country code.
const E164 = /^\+[1-9]\d{6,14}$/;
const SHORT_CODE = /^\d{3,8}$/;
const WITHOUT_PLUS = /^[1-9]\d{10,14}$/;
// GSM 03.38 alphanumeric sender ids: up to 11 characters, at least one letter.
const ALPHANUMERIC = /^(?=.*[A-Za-z])[\w &.+-]{1,11}$/;
// Other address kinds keep their scheme, e.g. "client:anna".
const WITH_SCHEME = /^[a-z]+:[!-~]{1,100}$/;

/**
 * The one written form of an address.
 *
 * @param raw a number in any common notation, a short code or an alphanumeric sender. A leading
 *   space followed by a digit is read as "+": that is what form decoding makes of an unescaped "+".
 * @param defaultRegion ISO 3166 country whose national notation is understood.
 * @returns E.164 with "+"; short codes, alphanumeric senders and addresses with a scheme as given;
 *   null for anything else. A number with "+" needs the shape of E.164 only, since numbering plans
 *   change faster than metadata and a customer must not be lost to that.
 */
export function normaliseAddress(raw: string, defaultRegion?: string): string | null {
  const text = raw.replace(/^\s+(?=\d)/, "+").trim();
  if (text.startsWith("+")) return international(text);
  if (/[A-Za-z]/.test(text)) {
    return ALPHANUMERIC.test(text) || WITH_SCHEME.test(text) ? text : null;
  }
  const isShortCode = SHORT_CODE.test(text);
  if (defaultRegion) {
    const national = parsePhoneNumberFromString(text, defaultRegion as CountryCode);
    if (national?.isValid() || (national?.isPossible() && !isShortCode)) return national.number;
  }
  if (isShortCode) return text;
  const digits = text.replace(/[\s().-]/g, "");
  // Without "+" only a number that exists counts: the digits could be anything.
  if (!WITHOUT_PLUS.test(digits)) return null;
  const guess = parsePhoneNumberFromString(`+${digits}`);
  return guess?.isValid() ? guess.number : null;
}

function international(text: string): string | null {
  const parsed = parsePhoneNumberFromString(text);
  if (parsed?.isPossible()) return parsed.number;
  const plain = `+${text.slice(1).replace(/[\s().-]/g, "")}`;
  return E164.test(plain) ? plain : null;
}

/**
 * The country calling code of an address, e.g. "+33" for "+33612345678": what a provider's geo
 * permission is about.
 *
 * @returns null for everything that is not E.164 with the calling code of a country.
 */
export function callingCode(address: string): string | null {
  const code = E164.test(address) && parsePhoneNumberFromString(address)?.countryCallingCode;
  return code ? `+${code}` : null;
}
