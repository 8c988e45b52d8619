import { maskAddress } from "@jobrun/messaging";

/** What holds messages of a channel back. An empty sender or prefix stands for all of them. */
export interface Stop {
  channel: string;
  sender: string;
  recipientPrefix: string;
  /** The provider's, or "held" where a person made the stop. */
  code: string;
}

const CALLING_CODE = /^\+\d{1,3}$/;
const NUMBER = /^\+\d/;

/**
 * Names the incident of a stop: one for each channel, number of ours and country, so that the
 * founder hears of each of them and of its end. Single recipients of a channel share one.
 *
 * @returns the resource of its key and its words, both with the sender masked and without any recipient
 */
export function describeStop({ channel, sender, recipientPrefix, code }: Stop): {
  resource: string;
  summary: string;
} {
  // WhatsApp's senders are ids: their ends tell them apart, and are no part of a number.
  const from = NUMBER.test(sender) ? maskAddress(sender) : `*****${sender.slice(-4)}`;
  const to = CALLING_CODE.test(recipientPrefix) ? recipientPrefix : "single recipients";
  const covered = [
    ...(sender === "" ? [] : [`from ${from}`]),
    ...(recipientPrefix === "" ? [] : [`to ${to}`]),
  ].join(" ");
  return {
    resource: covered === "" ? channel : `${channel} ${covered}`,
    summary: `Channel ${channel} is stopped with the code ${code}: ${covered === "" ? "all its messages wait" : `what goes ${covered} waits`}`,
  };
}
