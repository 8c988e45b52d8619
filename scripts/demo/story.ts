import { demoTenant } from "@jobrun/db/migrate";
import type { SentMessage } from "@jobrun/simulator";
import type { Owner, Phones } from "./phones.ts";
import type { DemoWorld } from "./world.ts";

export const people: Record<Owner, string> = {
  customer: "+447123456789",
  operator: demoTenant.operatorPhone,
  founder: "+447700900999",
};

/** Longest wait for any one thing of the story. On an idle machine each takes a fraction of a second. */
const LIMIT_MS = 10_000;
const EMERGENCY =
  "Water is pouring through the kitchen ceiling! 12 Mill Lane, Bath BA1 5LR. Can someone come now?";

/**
 * Plays the story on the phones. What people do is played; all that reaches them comes from the gateway, is shown when
 * it arrives, and must be what the story promises.
 *
 * @param pause awaited between two parts
 * @throws Error that names the first promise that was not kept
 */
export async function playStory(
  { simulator, gatewayUrl }: DemoWorld,
  phones: Phones,
  pause: () => Promise<void>,
) {
  const seen: Record<Owner, number> = { customer: 0, operator: 0, founder: 0 };
  const business = demoTenant.phoneNumber;
  simulator.onSent(({ to, body }) => {
    const owner = (Object.keys(people) as Owner[]).find((someone) => people[someone] === to);
    if (owner) phones.receives(owner, body);
  });
  /** The next text to reach somebody, which must look like what is promised. */
  const nextText = async (owner: Owner, promise: string, looksLike: RegExp) => {
    const count = (seen[owner] += 1);
    const texts = await simulator
      .waitForSent(count, { to: people[owner] }, LIMIT_MS)
      .catch(() => []);
    const text = texts[count - 1];
    if (text === undefined) throw new Error(`${promise}: no text within ${LIMIT_MS / 1000} s`);
    if (!looksLike.test(text.body)) throw new Error(`${promise}: got "${text.body}"`);
    return text;
  };
  const textIn = async (owner: Owner, body: string) => {
    phones.sends(owner, body);
    const { final } = await simulator.text({ from: people[owner], to: business, body });
    if (final?.status !== 200) throw new Error(`the gateway did not take "${body}"`);
  };

  phones.chapter(`1. A customer calls ${demoTenant.name}. The plumber is up a ladder.`);
  phones.sends("customer", `(calls ${demoTenant.name})`);
  const { said } = await simulator.call({
    from: people.customer,
    to: business,
    outcome: "no-answer",
    onSaid: (words) => phones.receives("customer", `(hears) ${words}`),
  });
  if (!said.some((words) => words.includes(demoTenant.name)))
    throw new Error(`the caller hears a notice: heard "${said.join(" ")}"`);
  await nextText("customer", "the missed call is texted back", /missed your call/);

  await pause();
  phones.chapter("2. The customer answers that text. It is an emergency.");
  await textIn("customer", EMERGENCY);
  const [, alert] = await Promise.all([
    nextText("customer", "the customer is answered at once", /urgent/),
    nextText("operator", "the plumber is alerted", /URGENT[^]*\bYES \d+/),
  ]);

  await pause();
  phones.chapter("3. The plumber takes the job, by text, with nothing to install.");
  await textIn("operator", `YES ${numberIn(alert)}`);
  await Promise.all([
    nextText("operator", "the plumber's YES is confirmed", /is yours/),
    nextText("customer", "the customer is told who is coming", /has taken your job/),
  ]);

  await pause();
  phones.chapter("4. The founder, who runs the gateway for many businesses.");
  phones.header({ owner: "founder", title: "Founder's phone", number: people.founder });
  const health = await readHealth(gatewayUrl);
  const alerts = simulator.sent({ to: people.founder });
  if (alerts.length > 0) throw new Error("the founder is left alone: got a text");
  phones.receives("founder", `(no texts: all is well)\n${health}`);
}

function numberIn({ body }: SentMessage): string {
  return /\bYES (\d+)/.exec(body)?.[1] ?? "";
}

/** The part of GET /health this reads. */
interface Health {
  status: string;
  alerts: { open: unknown[] };
  checks: { outbox: { queued: number; unknown: number; dead: number } };
}

/** @throws Error when the gateway is not well or still has something to send */
async function readHealth(gatewayUrl: string): Promise<string> {
  const response = await fetch(`${gatewayUrl}/health`, { signal: AbortSignal.timeout(LIMIT_MS) });
  const { status, alerts, checks } = (await response.json()) as Health;
  const { queued, unknown, dead } = checks.outbox;
  const line = `health: ${status}\n${alerts.open.length} alerts, ${queued + unknown + dead} texts unsent`;
  if (line !== "health: ok\n0 alerts, 0 texts unsent")
    throw new Error(`the gateway is well: got "${line}"`);
  return line;
}
