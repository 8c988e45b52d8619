import { parsePhoneNumberFromString } from "libphonenumber-js";

const MASK = "***";

// WhatsApp's business-scoped user id: country, "ENT" when several portfolios share it, alphanumerics.
const USER_ID = /^([A-Z]{2}\.(?:ENT\.)?)[A-Za-z0-9]{10,128}$/;

/**
 * An address for logs and events: country and last four characters of an E.164 number
 * ("+44*****3456") or of a user id ("US.*****1918"), "***" for everything else, since a short
 * number masked is a number shown.
 */
export function maskAddress(address: string): string {
  const userId = USER_ID.exec(address);
  if (userId) return `${userId[1]}*****${address.slice(-4)}`;
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
// In capitals and with a digit somewhere, unlike the name of a file or a method after a dot.
const USER =
  "(?<![\\w.])(?-i:[A-Z]{2}\\.(?:ENT\\.)?)(?=[a-z]{0,127}\\d)[a-z\\d]{10,128}(?![a-z\\d])";
const MESSAGE_ID = "\\bwamid\\.[\\w+/=.-]+";
const PATTERN = new RegExp(
  `(?<wamid>${MESSAGE_ID})|(?<kept>${KEPT})|(?<secret>${SECRET})|(?<user>${USER})|(?<phone>${PHONE})`,
  "gi",
);

/**
 * A free text fit for logs: phone numbers in any common notation and user ids are masked, and so are API keys,
 * bearer and basic credentials, passwords in URLs, JSON web tokens and hexadecimal tokens of 32
 * digits or more. Provider ids ("SM…", "AC…", "wamid.…" without the number in it), UUIDs, time stamps and IPv4 addresses stay.
 */
export function redactText(text: string): string {
  return text.replace(PATTERN, (match, ...rest) => {
    const groups = rest.at(-1) as { wamid?: string; kept?: string; user?: string; phone?: string };
    if (groups.wamid !== undefined) return maskMessageId(match);
    if (groups.kept !== undefined) return match;
    if (groups.user !== undefined) return maskAddress(match);
    if (groups.phone === undefined) return MASK;
    const international = /^(?:\+|%2B)/i.test(match);
    return international
      ? maskAddress(`+${match.slice(1).replace(/^2B/i, "").replace(/\D/g, "")}`)
      : MASK;
  });
}

/** Of Meta's id for a message, the part that tells it from others; what stands before may be the person's number. */
const TELLING_LENGTH = 20;

/** Meta's ids are base64, and those of real messages begin with the number of the person. */
function maskMessageId(id: string): string {
  const words = Buffer.from(id.slice("wamid.".length), "base64").toString("latin1");
  return /\d{7}/.test(words) ? `wamid.${MASK}${id.slice(-TELLING_LENGTH)}` : id;
}
