import type { Channel, OutboundMessage } from "../channel.ts";
import { createChannels, providers } from "../registry.ts";
import type { ChannelFixtures, ProviderBehaviour } from "./describe-channel.ts";
import { type Answering, json, openDouble, text } from "./http-double.ts";
import { OUR_NUMBER } from "./meta-webhooks.ts";

export const WAMID = "wamid.HBgMNDQ3NzAwOTAwMTIzFQIAERgSMEE5QjZGMTM5RjA3QUIxMzQ5AA==";
export const OUTBOUND: OutboundMessage = {
  id: "0192f0c1-7a3b-7000-8000-000000000001",
  from: OUR_NUMBER,
  to: "+447700900123",
  body: "We are on our way, Müller & Söhne",
};
// Only for doubles that never finish an answer: a loaded machine may take that long for any other.
export const HASTY_MS = 300;

/**
 * The channel WhatsApp, as the registry makes it of its keys of the environment.
 *
 * @param settings as they are read; `WHATSAPP_API_VERSION` and `WHATSAPP_PROCESSING` have defaults
 */
export function whatsAppWith(settings: object, attemptTimeoutMs = 5000): Channel {
  const registered = providers.filter((provider) => "WHATSAPP_API_URL" in provider.settings);
  const defaults = { WHATSAPP_API_VERSION: "v24.0", WHATSAPP_PROCESSING: "sync" };
  const context = { publicBaseUrl: "https://gateway.example", attemptTimeoutMs };
  const channels = createChannels(registered, { ...defaults, ...settings }, context);
  const channel = channels.get("whatsapp");
  if (!channel) throw new Error("There is no channel");
  return channel;
}

/** Meta's answer to a message it has taken. */
export const acceptanceOf = (message: object = { id: WAMID }) =>
  json(200, {
    messaging_product: "whatsapp",
    contacts: [{ input: OUTBOUND.to, wa_id: OUTBOUND.to.slice(1) }],
    messages: [message],
  });

/** An error as Meta words it. */
export const refusalOf = (
  status: number,
  code: unknown,
  more: object = {},
  headers: Record<string, string> = {},
) =>
  json(
    status,
    {
      error: {
        message: `(#${String(code)}) refused`,
        type: "OAuthException",
        code,
        error_data: { messaging_product: "whatsapp", details: "refused" },
        fbtrace_id: "Az8or2yhqkZfEZ-_4Qn_Bam",
        ...more,
      },
    },
    headers,
  );

const BEHAVIOURS: Record<ProviderBehaviour, Answering> = {
  accepts: acceptanceOf(),
  "refuses the recipient": refusalOf(400, 131026),
  "refuses an opted-out recipient": refusalOf(400, 131050),
  "refuses the content": refusalOf(400, 131008),
  "refuses the account": refusalOf(401, 190),
  "limits the rate for 2 s": refusalOf(429, 130429, {}, { "retry-after": "2" }),
  "is not there": () => {},
  "resets after reading": (_response, request) => request.socket.resetAndDestroy(),
  "never answers": () => {},
  "fails with a bare 500": text(500, "<h1>Oops</h1>"),
  "accepts unreadably": text(200, "<h1>OK</h1>"),
};

/** For the conformance suite: the channel with these settings, sending to a double. */
export function sendingFixtures(settings: object): Pick<ChannelFixtures, "outbound" | "against"> {
  return {
    outbound: OUTBOUND,
    async against(behaviour) {
      const double = await openDouble(BEHAVIOURS[behaviour]);
      if (behaviour === "is not there") await double.close();
      return {
        channel: whatsAppWith(
          { ...settings, WHATSAPP_API_URL: double.url },
          behaviour === "never answers" ? HASTY_MS : undefined,
        ),
        requestCount: () => double.requests.length,
        close: () => double.close(),
      };
    },
  };
}
