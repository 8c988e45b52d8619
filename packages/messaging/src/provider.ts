import type { z } from "zod";
import type { Channel } from "./channel.ts";

/** What every provider is given besides its own settings. */
export interface ProviderContext {
  /** The address providers call, without a slash at its end. */
  publicBaseUrl: string;
  /** Longest time one attempt to send may take. */
  attemptTimeoutMs: number;
}

/** A provider as the registry knows it. Make one with `defineProvider`. */
export interface Provider {
  /** Its keys of the environment: each a zod schema of one value, a string or undefined. */
  readonly settings: z.ZodRawShape;
  /**
   * @param settings what its keys were read as
   * @returns null when it is not configured
   * @throws when its settings contradict each other
   */
  create(settings: Record<string, unknown>, context: ProviderContext): Channel | null;
}

/** Says what a provider reads of the environment and how it becomes a channel. */
export function defineProvider<Settings extends z.ZodRawShape, Made extends Channel>(definition: {
  settings: Settings;
  create(settings: z.output<z.ZodObject<Settings>>, context: ProviderContext): Made | null;
}): Provider {
  // The settings were read by the very schemas they are typed by.
  return definition as unknown as Provider;
}
