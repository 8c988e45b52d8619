import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Simulator, WebhookResult } from "@jobrun/simulator";
import { between, oneOf, type Random } from "./random.ts";

/** Somebody who texts one of our numbers. */
export interface Customer {
  phone: string;
  texts: string;
}

export interface Traffic {
  /** Ids of the texts written so far. */
  sids: string[];
  /** Requests of a webhook after its first. */
  retries: number;
  fallbacks: number;
  /** No webhook was made, or neither it nor the fallback got a 2xx: only the sweep can find these. */
  unheard: number;
  /** Lets customers write until `done` says so; resolves when every webhook has ended. */
  run(done: () => boolean): Promise<void>;
}

/** What customers say. Few and often the same, so that equal texts must be told apart when the provider is asked. */
const WORDS = [
  "Hi, my kitchen tap is leaking",
  "It is at 12 Mill Lane, Ashford",
  "Tomorrow morning please",
  "Do you do boilers?",
  "Thanks",
  "Burst pipe, water everywhere, please help now",
];
// The fragment is what provisioning sets: two retries, within Twilio's 15 s.
const OVERRIDES = "#rc=2&rp=5xx,ct,rt&rt=10000&tt=15000";
/** Texts one customer writes in a row, so that a reply is often still on its way when the next is due. */
const LONGEST_BURST = 4;
const WRITING_AT_ONCE = 12;

/**
 * @param gapMs mean time between two texts, all customers together
 */
export function createTraffic(
  {
    simulator,
    balancer,
    customers,
  }: { simulator: Simulator; balancer: { url: string }; customers: Customer[] },
  gapMs: number,
  random: Random,
): Traffic {
  const idle = new Set(customers);
  let next = performance.now();

  async function takeTurn(): Promise<void> {
    next = Math.max(next, performance.now() - gapMs) + 2 * gapMs * random();
    await sleep(Math.max(0, next - performance.now()));
  }

  async function write({ phone, texts }: Customer, body: string): Promise<void> {
    const sid = `SM${randomBytes(16).toString("hex")}`;
    traffic.sids.push(sid);
    const result = await simulator.text({
      from: phone,
      to: texts,
      body,
      sid,
      webhookUrl: `${balancer.url}/sms${OVERRIDES}`,
      fallbackUrl: `${balancer.url}/sms/fallback`,
    });
    count(traffic, result);
  }

  async function writeInBursts(done: () => boolean): Promise<void> {
    while (!done()) {
      const customer = oneOf(random, [...idle]);
      idle.delete(customer);
      for (let left = between(random, 1, LONGEST_BURST); left > 0; left -= 1) {
        await takeTurn();
        if (done()) break;
        await write(customer, oneOf(random, WORDS));
      }
      idle.add(customer);
    }
  }

  const traffic: Traffic = {
    sids: [],
    retries: 0,
    fallbacks: 0,
    unheard: 0,
    run: async (done) => {
      const writers = Math.min(WRITING_AT_ONCE, customers.length);
      await Promise.all(Array.from({ length: writers }, () => writeInBursts(done)));
    },
  };
  return traffic;
}

function count(traffic: Traffic, { attempts, final }: WebhookResult): void {
  const fallbacks = attempts.filter(({ url }) => url.endsWith("/fallback")).length;
  traffic.fallbacks += fallbacks;
  traffic.retries += Math.max(0, attempts.length - fallbacks - 1);
  if (final === null || final.status >= 300) traffic.unheard += 1;
}
