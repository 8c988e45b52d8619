import { defineProvider, type Channel, type Provider } from "@jobrun/messaging";
import { z } from "zod";
import { readLetters } from "./read-letters.ts";

/** A letter that has left. */
export interface Flight {
  id: string;
  to: string;
  body: string;
}

/**
 * A provider that exists in this folder alone: carrier pigeons. What leaves is put into `flights`;
 * what arrives is posted to one address, with a secret in a header.
 *
 * @param flights where what was sent can be seen
 */
export function pigeonProvider(flights: Flight[]): Provider {
  return defineProvider({
    settings: { PIGEON_SECRET: z.string().optional() },
    create: ({ PIGEON_SECRET: secret }) => (secret === undefined ? null : loft(secret, flights)),
  });
}

function loft(secret: string, flights: Flight[]): Channel {
  return {
    name: "pigeon",
    provider: "pigeon-post",
    processing: "sync",
    rate: { perSecond: 10, burstSeconds: 1 },
    answersKeywords: false,
    ownsEveryNumber: false,
    send: async ({ id, to, body }) => {
      flights.push({ id, to, body });
      return { kind: "accepted", providerId: `flight-${id}` };
    },
    fitText: (words) => ({ text: words.slice(0, 200), segments: 1 }),
    readContent: ({ type }) => ({
      ok: false,
      problems: [{ field: "type", message: `${type} is too heavy` }],
    }),
    webhook: {
      path: "/api/v1/loft",
      movedFrom: [],
      problems: [],
      verify: ({ headers }) => headers["x-ring"] === secret,
      challenge: () => null,
      read: (rawBody) => readLetters(rawBody),
    },
  };
}
