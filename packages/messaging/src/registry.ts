import type { Channel, ChannelName } from "./channel.ts";
import type { Provider, ProviderContext } from "./provider.ts";
import { twilioProvider } from "./twilio/provider.ts";
import { dialog360Provider } from "./whatsapp/dialog360.ts";
import { whatsAppCloudProvider } from "./whatsapp/whatsapp-cloud.ts";

/** Every provider there is: one line each. */
export const providers: readonly Provider[] = [
  twilioProvider,
  whatsAppCloudProvider,
  dialog360Provider,
];

/**
 * The channels of this gateway, by name.
 *
 * @param settings what the providers' keys of the environment were read as
 * @throws Error when two providers are configured for the same channel.
 */
export function createChannels(
  registered: readonly Provider[],
  settings: Record<string, unknown>,
  context: ProviderContext,
): Map<ChannelName, Channel> {
  const channels = new Map<ChannelName, Channel>();
  for (const provider of registered) {
    const channel = provider.create(settings, context);
    if (channel === null) continue;
    const other = channels.get(channel.name);
    if (other) {
      throw new Error(`${other.provider} and ${channel.provider} both carry ${channel.name}`);
    }
    channels.set(channel.name, channel);
  }
  return channels;
}
