import { parsePhoneNumberFromString } from "libphonenumber-js";

const MASK = "***";

/**
 * An address for logs and events: country code and last four digits of an E.164 number
 * ("+44*****3456"), "***" for everything else, since a short number masked is a number shown.
 */
export function maskAddress(address: string): string {
  if (!/^\+\d{7,15}$/.test(address)) return MASK;
  const countryCode = parsePhoneNumberFromString(address)?.countryCallingCode ?? "";
  return `+${countryCode}*****${address.slice(-4)}`;
}

// Alternatives are tried in this order at each position. What is kept comes before what it could
// be mistaken for: provider ids, UUIDs, time stamps and IPv4 addresses all contain runs of digits.
const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const GAP = "[ \\t\\u00a0().\\-\\u2010-\\u2015/]";
const KEPT = [
  "\\b(?:AC|CA|MG|MM|PN|SK|SM)[0-9a-f]{32}(?!\\w)",
  "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
  "\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d(?::\\d\\d(?:[.,]\\d{1,9})?)?",
  `(?<![\\d.])${OCTET}(?:\\.${OCTET}){3}(?![\\d.])`,
].join("|");
const SECRET = [
  "(?<=\\b(?:Bearer|Basic) +)[^\\s\"',]+",
  "(?<=:\\/\\/[^\\s/:@]*:)[^\\s/@]+(?=@)",
  "\\bsk-[\\w-]{8,}",
  "\\beyJ[\\w-]+\\.[\\w-]+\\.[\\w-]*",
  "\\bEAA[A-Za-z0-9]{20,}",
  "(?<!\\w)[0-9a-f]{32,}(?!\\w)",
].join("|");
const PHONE = [
  // Written without gaps it ends where its digits end, so that a number after it is seen on its own.
  "(?:\\+|%2B)\\d{10,15}(?!\\d)",
  // With gaps nobody can tell where one number ends, so the whole run goes.
  `(?:\\+|%2B)${GAP}{0,2}\\d(?:${GAP}{0,3}\\d){6,}`,
  `(?<!\\w)\\(?\\d(?:${GAP}{0,3}\\d){8,}`,
  "(?<![\\w.-])\\d{3}[ .\\-]\\d{4}(?![\\w-])",
].join("|");
const PATTERN = new RegExp(`(?<kept>${KEPT})|(?<secret>${SECRET})|(?<phone>${PHONE})`, "gi");

/**
 * A free text fit for logs: phone numbers in any common notation are masked, and so are API keys,
 * bearer and basic credentials, passwords in URLs, JSON web tokens and hexadecimal tokens of 32
 * digits or more. Provider ids ("SM…", "AC…"), UUIDs, time stamps and IPv4 addresses stay.
 */
export function redactText(text: string): string {
  return text.replace(PATTERN, (match, ...rest) => {
    const groups = rest.at(-1) as { kept?: string; phone?: string };
    if (groups.kept !== undefined) return match;
    if (groups.phone === undefined) return MASK;
    const international = /^(?:\+|%2B)/i.test(match);
    return international
      ? maskAddress(`+${match.slice(1).replace(/^2B/i, "").replace(/\D/g, "")}`)
      : MASK;
  });
}
