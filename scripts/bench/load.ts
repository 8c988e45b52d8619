import { Agent, request } from "node:http";
import { inboundParams, signTwilioRequest } from "@jobrun/simulator";
import { demoTenant } from "@jobrun/db/migrate";
import autocannon from "autocannon";

/** A signed webhook, ready to be posted to /sms. */
interface Webhook {
  body: string;
  headers: Record<string, string>;
}

/** Enough that two texts of one customer are never in flight together: lanes would answer them as one. */
const CUSTOMERS = 4000;
const FIRST_CUSTOMER = 447_400_000_000;

/** An endless supply of texts, each with an id of its own, from customers who write again and again. */
export class Texts {
  readonly #sign: (params: Record<string, string>) => string;
  readonly #accountSid: string;
  readonly #prepared: Webhook[] = [];
  #count = 0;

  constructor(account: { accountSid: string; authToken: string; publicUrl: string }) {
    this.#accountSid = account.accountSid;
    this.#sign = (params) =>
      signTwilioRequest(account.authToken, `${account.publicUrl}/sms`, params);
  }

  /** Signs ahead, so that signing takes nothing from what is measured. */
  prepare(count: number): void {
    while (this.#prepared.length < count) this.#prepared.push(this.#make());
  }

  next(): Webhook {
    return this.#prepared.pop() ?? this.#make();
  }

  #make(): Webhook {
    const index = this.#count++;
    const params = inboundParams({
      from: `+${FIRST_CUSTOMER + (index % CUSTOMERS)}`,
      to: demoTenant.phoneNumber,
      body: `My kitchen tap drips, can somebody come this week? (${index})`,
      accountSid: this.#accountSid,
    });
    const body = new URLSearchParams(params).toString();
    const headers = {
      "content-type": "application/x-www-form-urlencoded",
      "x-twilio-signature": this.#sign(params),
    };
    return { body, headers };
  }
}

/**
 * Keeps `connections` webhooks in flight for `seconds`.
 *
 * @returns answers with a 200, other answers, connections that broke, and the seconds it really took
 */
export async function saturate(url: string, texts: Texts, connections: number, seconds: number) {
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    timeout: 30,
    requests: [
      {
        method: "POST",
        path: "/sms",
        setupRequest: (prepared) => ({ ...prepared, ...texts.next() }),
      },
    ],
  });
  return {
    ok: result["2xx"],
    refused: result.non2xx,
    broken: result.errors,
    seconds: result.duration,
  };
}

/**
 * Posts `perSecond` webhooks a second for `seconds`, whether the earlier ones are answered or not.
 *
 * @returns the time each answer took, milliseconds
 * @throws Error when one is not answered with a 200
 */
export async function drip(
  url: string,
  texts: Texts,
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
      answers.push(postOne(url, texts.next(), agent));
    }
    return await Promise.all(answers);
  } finally {
    await Promise.allSettled(answers);
    agent.destroy();
  }
}

function postOne(url: string, { body, headers }: Webhook, agent: Agent): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    request(`${url}/sms`, { method: "POST", agent, headers }, (response) => {
      response.resume().on("end", () => {
        if (response.statusCode === 200) resolve(performance.now() - started);
        else reject(new Error(`a webhook was answered with ${response.statusCode}`));
      });
    })
      .on("error", reject)
      .end(body);
  });
}
