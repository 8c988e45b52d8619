import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { announce, required } from "./child.ts";

/** What B4 asks this process to do. */
interface Round {
  /** Requests in flight. */
  concurrency: number;
  warmUpSeconds: number;
  seconds: number;
}

/**
 * What B4 compares with: the form a send posts to Twilio, by plain `fetch`, from a process that does
 * nothing else. A POST starts a round and is answered with the sends accepted per second.
 */
const accountSid = required("TWILIO_ACCOUNT_SID");
const url = `${required("TWILIO_API_BASE_URL")}/2010-04-01/Accounts/${accountSid}/Messages.json`;
const authorization = `Basic ${btoa(`${accountSid}:${required("TWILIO_AUTH_TOKEN")}`)}`;

const server = createServer(async (request, response) => {
  try {
    response.end(String(await run((await json(request)) as Round)));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
server.listen(0, "127.0.0.1", () => {
  announce(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

async function run({ concurrency, warmUpSeconds, seconds }: Round): Promise<number> {
  const begin = performance.now() + warmUpSeconds * 1000;
  const end = begin + seconds * 1000;
  let accepted = 0;
  const sendOn = async () => {
    while (performance.now() < end) {
      await send();
      const now = performance.now();
      if (now >= begin && now < end) accepted += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, sendOn));
  return accepted / seconds;
}

async function send(): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization },
    body: new URLSearchParams({
      From: "+447900000001",
      To: "+447500000001",
      Body: "Thanks, we have your message about the dripping kitchen tap. When would suit you this week?",
      StatusCallback: `http://127.0.0.1/api/twilio/message-status?m=${randomUUID()}`,
    }),
  });
  const { sid } = (await response.json()) as { sid?: string };
  if (response.status !== 201 || sid === undefined)
    throw new Error(`a send was answered with ${response.status}`);
}
