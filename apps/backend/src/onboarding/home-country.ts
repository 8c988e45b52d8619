import { callingCode } from "@jobrun/messaging";
import type { Locale } from "../texts/fill.ts";

/** What a person's own number says about where they are at home. */
export interface HomeCountry {
  /** ISO 3166, whose national notation of numbers they use */
  region: string;
  locale: Locale;
  timeZone: string;
  /** What a landline dials before a national number */
  trunkPrefix: string;
}

const UNITED_KINGDOM: HomeCountry = {
  region: "GB",
  locale: "en",
  timeZone: "Europe/London",
  trunkPrefix: "0",
};

/** Calling codes of several countries stand for the largest of them. */
const countries = new Map<string, HomeCountry>([
  ["+44", UNITED_KINGDOM],
  ["+353", { region: "IE", locale: "en", timeZone: "Europe/Dublin", trunkPrefix: "0" }],
  ["+33", { region: "FR", locale: "fr", timeZone: "Europe/Paris", trunkPrefix: "0" }],
  ["+32", { region: "BE", locale: "fr", timeZone: "Europe/Brussels", trunkPrefix: "0" }],
  ["+352", { region: "LU", locale: "fr", timeZone: "Europe/Luxembourg", trunkPrefix: "" }],
  ["+1", { region: "US", locale: "en", timeZone: "America/New_York", trunkPrefix: "" }],
]);

/** @param phone E.164. Of a country that is not listed: what a tenant has by default. */
export function homeCountry(phone: string): HomeCountry {
  return countries.get(callingCode(phone) ?? "") ?? UNITED_KINGDOM;
}

/**
 * A number as a landline dials it: no landline has a "+".
 *
 * @param number E.164
 * @param phone E.164, of whoever dials
 */
export function dialledFromLandline(number: string, phone: string): string {
  const code = callingCode(phone);
  if (code !== null && code === callingCode(number))
    return homeCountry(phone).trunkPrefix + number.slice(code.length);
  // ITU-T E.164 recommends 00 as the international prefix; North America has 011.
  return (code === "+1" ? "011" : "00") + number.slice(1);
}
