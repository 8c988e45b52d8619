import { describe, expect, it } from "@jest/globals";
import { startSimulator } from "./index.ts";
import { BoundedLog } from "./bounded-log.ts";
import { MessageLog } from "./message-log.ts";

const BUSINESS = "+447987654321";

const accept = (log: MessageLog, to: string) =>
  log.accept({
    from: BUSINESS,
    to,
    body: "Hello",
    statusCallback: `https://gateway.example/status?m=${to}`,
    validityPeriod: null,
    direction: "outbound-api",
  });

describe("the message log", () => {
  // A log that went through all its messages for each look-up would need hours.
  it("answers 200,000 look-ups of one pair, and of the newest, among 200,000", () => {
    const log = new MessageLog();
    const customer = (i: number) => `+4471${String(i).padStart(8, "0")}`;
    for (let i = 0; i < 200_000; i++) accept(log, customer(i));
    let found = 0;
    for (let i = 0; i < 200_000; i++) {
      found += [...log.newestFirst({ to: customer(i), from: BUSINESS })].length;
      if (log.newestFirst({ from: BUSINESS }).next().value?.to === customer(199_999)) found += 1;
    }
    expect(found).toBe(400_000);
  });

  it("keeps a pair no longer than the log keeps its messages", () => {
    const log = new MessageLog(3);
    for (const to of ["+441", "+442", "+441", "+442", "+443"]) accept(log, to);
    expect([...log.newestFirst({ to: "+441", from: BUSINESS })]).toHaveLength(1);
    expect([...log.newestFirst({ to: "+442", from: BUSINESS })]).toHaveLength(1);
    expect([...log.newestFirst({})].map(({ to }) => to)).toEqual(["+443", "+442", "+441"]);
  });

  it("shows the same order from both ends, however many have left", () => {
    const log = new BoundedLog<number>(5);
    for (let i = 0; i < 23; i++) {
      log.append(String(i), i);
      expect([...log.newestFirst()].toReversed()).toEqual(log.all());
    }
    expect(log.all()).toEqual([18, 19, 20, 21, 22]);
  });
});

describe("sent", () => {
  it("is in the order of acceptance, with our id and the time of each", async () => {
    const simulator = await startSimulator();
    const credentials = btoa(`${simulator.accountSid}:${simulator.authToken}`);
    const path = `/2010-04-01/Accounts/${simulator.accountSid}/Messages.json`;
    const answered = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const response = await fetch(simulator.twilioUrl + path, {
          method: "POST",
          headers: { authorization: `Basic ${credentials}` },
          body: new URLSearchParams({
            From: BUSINESS,
            To: "+447123456789",
            Body: String(i),
            StatusCallback: `https://gateway.example/status?m=${i}`,
          }),
        });
        return ((await response.json()) as { sid: string }).sid;
      }),
    );
    const accepted: string[] = [];
    const sent = simulator.sent();
    for (const { sid, statusCallback, body, at } of sent) {
      accepted.push(sid);
      expect(new URL(statusCallback ?? "").searchParams.get("m")).toBe(body);
      expect(at).toBeLessThanOrEqual(Date.now());
    }
    expect(accepted.toSorted()).toEqual(answered.toSorted());
    const times = sent.map(({ at }) => at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    await simulator.close();
  });
});
