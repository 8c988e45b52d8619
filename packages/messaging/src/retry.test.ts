import { describe, expect, it } from "@jest/globals";
import { type Channel, type FailedAttempt, type SendOutcome, sendWithRetry } from "./index.ts";

const MESSAGE = { id: "1", from: "+441632960001", to: "+447700900123", body: "Hello" };
const BUSY: SendOutcome = { kind: "unavailable", code: "20503" };
const SENT: SendOutcome = { kind: "accepted", providerId: "SM1" };

/** A channel that answers with the given outcomes in turn. */
function scripted(outcomes: SendOutcome[], onSend?: () => void) {
  let sends = 0;
  const channel: Channel = {
    name: "sms",
    provider: "scripted",
    processing: "sync",
    rate: { perSecond: 1, burstSeconds: 1 },
    answersKeywords: true,
    ownsEveryNumber: true,
    fitText: (text) => ({ text, segments: 1 }),
    readContent: () => ({ ok: false, problems: [] }),
    async send() {
      onSend?.();
      const outcome = outcomes[sends++];
      if (!outcome) throw new Error("asked more often than expected");
      return outcome;
    },
  };
  return { channel, sends: () => sends };
}

async function run(outcomes: SendOutcome[], delaysMs: readonly number[] = [1, 2, 4]) {
  const { channel, sends } = scripted(outcomes);
  const failures: FailedAttempt[] = [];
  const outcome = await sendWithRetry(channel, MESSAGE, {
    signal: new AbortController().signal,
    delaysMs,
    onAttemptFailed: (info) => failures.push(info),
  });
  return { outcome, sends: sends(), failures };
}

describe("sending with retry", () => {
  it("sends once when the first attempt is accepted", async () => {
    expect(await run([SENT])).toEqual({ outcome: SENT, sends: 1, failures: [] });
  });

  it("tries again while nothing was sent, and reports the nominal waits", async () => {
    const { outcome, sends, failures } = await run([BUSY, BUSY, SENT]);
    expect({ outcome, sends }).toEqual({ outcome: SENT, sends: 3 });
    expect(failures).toEqual([
      { attempt: 1, attempts: 3, outcome: BUSY, retryInMs: 1 },
      { attempt: 2, attempts: 3, outcome: BUSY, retryInMs: 2 },
    ]);
  });

  it("gives up after three attempts, without waiting after the last", async () => {
    const { outcome, sends, failures } = await run([BUSY, BUSY, BUSY], [1, 1, 3_600_000]);
    expect({ outcome, sends }).toEqual({ outcome: BUSY, sends: 3 });
    expect(failures.map(({ retryInMs }) => retryInMs)).toEqual([1, 1, null]);
  });

  it.each<SendOutcome>([
    { kind: "unknown", code: "timeout" },
    { kind: "rejected", code: "21211", scope: "recipient" },
  ])("never repeats an attempt that ended %j", async (outcome) => {
    expect(await run([outcome])).toEqual({
      outcome,
      sends: 1,
      failures: [{ attempt: 1, attempts: 3, outcome, retryInMs: null }],
    });
    expect((await run([BUSY, outcome])).sends).toBe(2);
  });

  it("waits at least as long as the provider asks", async () => {
    const asked: SendOutcome = { ...BUSY, retryAfterMs: 60 };
    const started = performance.now();
    const { failures } = await run([asked, SENT]);
    // Timers may fire up to a millisecond early.
    expect(performance.now() - started).toBeGreaterThanOrEqual(59);
    expect(failures[0]?.retryInMs).toBe(60);
  });

  it("leaves a provider that asks for more than 10 s to the caller", async () => {
    const asked: SendOutcome = { ...BUSY, retryAfterMs: 10_001 };
    const { outcome, sends, failures } = await run([asked]);
    expect({ outcome, sends }).toEqual({ outcome: asked, sends: 1 });
    expect(failures[0]?.retryInMs).toBeNull();
  });

  it("leaves a text to the caller when the caller sees no sense in another attempt", async () => {
    const { channel, sends } = scripted([BUSY, SENT]);
    const { signal } = new AbortController();
    const outcome = await sendWithRetry(channel, MESSAGE, { signal, mayRetry: () => false });
    expect({ outcome, sends: sends() }).toEqual({ outcome: BUSY, sends: 1 });
  });

  it("starts from 1 s by default", async () => {
    const abort = new AbortController();
    const failures: FailedAttempt[] = [];
    await sendWithRetry(scripted([BUSY]).channel, MESSAGE, {
      signal: abort.signal,
      onAttemptFailed: (info) => {
        failures.push(info);
        abort.abort();
      },
    });
    expect(failures).toEqual([{ attempt: 1, attempts: 3, outcome: BUSY, retryInMs: 1000 }]);
  });

  it("stops waiting when aborted, and says that nothing was sent", async () => {
    const abort = new AbortController();
    const { channel, sends } = scripted([BUSY]);
    const sending = sendWithRetry(channel, MESSAGE, {
      signal: abort.signal,
      delaysMs: [3_600_000, 1],
      onAttemptFailed: () => setImmediate(() => abort.abort()),
    });
    expect(await sending).toEqual(BUSY);
    expect(sends()).toBe(1);
  });

  it("sends nothing when aborted before", async () => {
    const { channel, sends } = scripted([SENT]);
    const outcome = await sendWithRetry(channel, MESSAGE, { signal: AbortSignal.abort() });
    expect(outcome).toEqual({ kind: "unavailable", code: "aborted" });
    expect(sends()).toBe(0);
  });

  it("keeps an acceptance that came together with the abort", async () => {
    const abort = new AbortController();
    const { channel } = scripted([SENT], () => abort.abort());
    expect(await sendWithRetry(channel, MESSAGE, { signal: abort.signal })).toEqual(SENT);
  });

  it("does not repeat a send that broke its contract by throwing", async () => {
    const { channel, sends } = scripted([]);
    const sending = sendWithRetry(channel, MESSAGE, {
      signal: new AbortController().signal,
      delaysMs: [1, 1, 1],
    });
    await expect(sending).rejects.toThrow("more often");
    expect(sends()).toBe(1);
  });
});
