import type { Channel, ChannelName } from "./channel.ts";
import { twilioChannel, type TwilioOptions } from "./twilio/twilio-channel.ts";

/** Which providers are configured, each with its own options. */
export interface ChannelsConfig {
  twilio?: TwilioOptions;
}

/**
 * The channels of this gateway, by name. A provider is registered by one line here.
 *
 * @throws Error when two providers are configured for the same channel.
 */
export function createChannels(config: ChannelsConfig): Map<ChannelName, Channel> {
  const channels = new Map<ChannelName, Channel>();
  for (const channel of [config.twilio && twilioChannel(config.twilio)]) {
    if (!channel) continue;
    const other = channels.get(channel.name);
    if (other) {
      throw new Error(`${other.provider} and ${channel.provider} both carry ${channel.name}`);
    }
    channels.set(channel.name, channel);
  }
  return channels;
}
