import { Agent, request } from "node:http";
import { inboundParams, signTwilioRequest } from "@jobrun/simulator";
import { demoTenant } from "@jobrun/db/migrate";
import autocannon from "autocannon";

/** A signed webhook, ready to be posted. */
export interface Webhook {
  path: string;
  body: string;
  headers: Record<string, string>;
}

/** Where webhooks come from. */
interface Source {
  /** One for the server at this address. */
  next(url: string): Webhook;
}

/**
 * Enough that two texts of one customer are never in flight together: lanes would answer them as one.
 * Odd, so that with two processes the texts of one customer go to either in turn.
 */
const CUSTOMERS = 4001;
const FIRST_CUSTOMER = 447_400_000_000;
const PATH = "/sms";

/** An endless supply of texts, each with an id of its own, from customers who write again and again. */
export class Texts implements Source {
  readonly #account: { accountSid: string; authToken: string };
  #prepared = new Map<string, Webhook[]>();
  #count = 0;

  constructor(account: { accountSid: string; authToken: string }) {
    this.#account = account;
  }

  /** Signs ahead for these servers, `count` in all, so that signing takes nothing from what is measured. */
  prepare(count: number, urls: string[]): void {
    this.#prepared = new Map(urls.map((url) => [url, []]));
    for (let index = 0; index < count; index += urls.length)
      for (const [url, webhooks] of this.#prepared) webhooks.push(...this.nextFor([url]));
    // Taken from the end, and in the order they were made.
    for (const webhooks of this.#prepared.values()) webhooks.reverse();
  }

  next(url: string): Webhook {
    return this.#prepared.get(url)?.pop() ?? this.#make(this.#params(), url);
  }

  /** One and the same text, as each of these servers would get it. */
  nextFor(urls: string[]): Webhook[] {
    const params = this.#params();
    return urls.map((url) => this.#make(params, url));
  }

  #params(): Record<string, string> {
    const index = this.#count++;
    return inboundParams({
      from: `+${FIRST_CUSTOMER + (index % CUSTOMERS)}`,
      to: demoTenant.phoneNumber,
      body: `My kitchen tap drips, can somebody come this week? (${index})`,
      accountSid: this.#account.accountSid,
    });
  }

  #make(params: Record<string, string>, url: string): Webhook {
    const body = new URLSearchParams(params).toString();
    const headers = {
      "content-type": "application/x-www-form-urlencoded",
      "x-twilio-signature": signTwilioRequest(this.#account.authToken, url + PATH, params),
    };
    return { path: PATH, body, headers };
  }
}

/** What came of a time of load. */
export interface Load {
  /** Answers with a 200. */
  ok: number;
  /** Other answers, broken connections and time-outs. */
  failed: number;
  /** The first of the failed, for the error message. */
  samples: string[];
  /** The time it really took. */
  seconds: number;
}

/** Keeps `connections` webhooks in flight for `seconds`, spread evenly over the servers. */
export async function saturate(
  urls: string[],
  texts: Texts,
  connections: number,
  seconds: number,
): Promise<Load> {
  const loads = await Promise.all(
    urls.map((url) => run(url, texts, connections / urls.length, { duration: seconds })),
  );
  const sum = (count: (load: Load) => number) =>
    loads.reduce((total, load) => total + count(load), 0);
  return {
    ok: sum(({ ok }) => ok),
    failed: sum(({ failed }) => failed),
    samples: loads.flatMap(({ samples }) => samples),
    seconds: Math.max(...loads.map((load) => load.seconds)),
  };
}

/** Posts `amount` webhooks, `connections` of them in flight. */
export function postMany(
  url: string,
  texts: Texts,
  connections: number,
  amount: number,
): Promise<Load> {
  return run(url, texts, connections, { amount });
}

const SAMPLES = 3;
const SAMPLE_LENGTH = 200;

async function run(
  url: string,
  texts: Texts,
  connections: number,
  length: { duration: number } | { amount: number },
): Promise<Load> {
  const samples: string[] = [];
  const sample = (what: string) => {
    if (samples.length < SAMPLES) samples.push(what.slice(0, SAMPLE_LENGTH));
  };
  const running = autocannon({
    url,
    connections,
    ...length,
    timeout: 30,
    requests: [
      {
        method: "POST",
        setupRequest: (prepared) => ({ ...prepared, ...texts.next(url) }),
        onResponse: (status, body) => {
          if (status !== 200) sample(`${status} ${body}`);
        },
      },
    ],
  });
  running.on("reqError", (error) => sample(error.message));
  const { "2xx": ok, non2xx, errors, duration } = await running;
  return { ok, failed: non2xx + errors, samples, seconds: duration };
}

/**
 * Posts `perSecond` webhooks a second for `seconds`, whether the earlier ones are answered or not.
 *
 * @returns the time each answer took, milliseconds
 * @throws Error when one is not answered with a 200
 */
export async function drip(
  url: string,
  source: Source,
  perSecond: number,
  seconds: number,
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const answers: Promise<number>[] = [];
  const start = performance.now();
  try {
    for (let index = 0; index < perSecond * seconds; index += 1) {
      const due = start + (index * 1000) / perSecond;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      answers.push(postOne(url, source.next(url), agent));
    }
    return await Promise.all(answers);
  } finally {
    await Promise.allSettled(answers);
    agent.destroy();
  }
}

/**
 * Posts one webhook.
 *
 * @returns milliseconds until its answer
 * @throws Error when that is no 200
 */
export function postOne(
  url: string,
  { path, body, headers }: Webhook,
  agent: Agent,
): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    request(url + path, { method: "POST", agent, headers }, (response) => {
      response.resume().on("end", () => {
        if (response.statusCode === 200) resolve(performance.now() - started);
        else reject(new Error(`a webhook was answered with ${response.statusCode}`));
      });
    })
      .on("error", reject)
      .end(body);
  });
}
