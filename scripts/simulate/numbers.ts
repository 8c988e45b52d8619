import type { SimulatedNumber, WhatsAppNumber } from "@jobrun/simulator";
import type { Options } from "./options.ts";

/**
 * Refuses a number that the simulator's account has not: at the real provider no text would reach it, and none would
 * be sent from it.
 *
 * @throws Error that says which numbers there are, and how another is added
 */
export async function refuseUnknownNumber(
  simulatorUrl: string,
  { channel, to }: Pick<Options, "channel" | "to">,
): Promise<void> {
  if (to === null) return;
  const path = channel === "sms" ? "/admin/numbers" : "/admin/whatsapp/numbers";
  const response = await fetch(simulatorUrl + path);
  if (!response.ok) throw new Error(`the simulator does not tell its numbers: ${response.status}`);
  const numbers =
    channel === "sms"
      ? ((await response.json()) as SimulatedNumber[]).map(({ phoneNumber }) => phoneNumber)
      : ((await response.json()) as WhatsAppNumber[]).map(({ phoneNumberId }) => phoneNumberId);
  if (numbers.includes(to)) return;
  const body =
    channel === "sms"
      ? { phoneNumber: to }
      : { phoneNumberId: to, displayPhoneNumber: "447700900889" };
  throw new Error(
    `${to} is not a number of the simulator's account, which has ${numbers.join(", ") || "none"}. Add it with:\n\n` +
      `  curl ${simulatorUrl}${path} -d '${JSON.stringify(body)}'\n`,
  );
}
