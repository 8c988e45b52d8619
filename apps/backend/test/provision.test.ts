import { describe, expect, it } from "@jest/globals";
import type { ProviderNumbers } from "@jobrun/messaging";
import { compareNumbers, expectedWebhooks, provisionNumbers } from "../src/numbers/provision.ts";
import { DEMO_NUMBER } from "./harness.ts";
import {
  APPLICATION,
  atTwilio,
  BASE,
  db,
  ELSEWHERE,
  numbers,
  OVERRIDES,
  pool,
  right,
  SECOND,
  signal,
  useProvisionWorld,
  world,
} from "./provision-world.ts";

useProvisionWorld();

const compare = () => compareNumbers(db, numbers, BASE, signal);
const provision = (by = numbers) => provisionNumbers(db, by, BASE, signal);

describe("a number's webhooks", () => {
  it("all carry the overrides without which Twilio would not try again after a 500", () => {
    expect(right).toEqual({
      smsUrl: `${BASE}/sms${OVERRIDES}`,
      smsMethod: "POST",
      smsFallbackUrl: `${BASE}/sms/fallback${OVERRIDES}`,
      smsFallbackMethod: "POST",
      voiceUrl: `${BASE}/api/twilio/voice${OVERRIDES}`,
      voiceMethod: "POST",
      statusCallback: `${BASE}/api/twilio/status${OVERRIDES}`,
      statusCallbackMethod: "POST",
      smsApplicationSid: "",
      voiceApplicationSid: "",
    });
  });

  it("are the same with a slash at the end of PUBLIC_BASE_URL", () => {
    expect(expectedWebhooks(`${BASE}/`)).toEqual(right);
  });
});

describe("comparing", () => {
  it("names what differs and changes nothing", async () => {
    world.simulator.addNumber(DEMO_NUMBER, { smsUrl: ELSEWHERE, voiceMethod: "GET" });
    expect(await compare()).toEqual([
      {
        phoneNumber: DEMO_NUMBER,
        state: "differs",
        sid: atTwilio(DEMO_NUMBER)?.sid,
        before: { ...right, smsUrl: ELSEWHERE, voiceMethod: "GET" },
        differences: ["smsUrl", "voiceMethod"],
      },
    ]);
    expect(atTwilio(DEMO_NUMBER)).toMatchObject({ smsUrl: ELSEWHERE, voiceMethod: "GET" });
  });

  it("takes a URL without the overrides for a difference", async () => {
    world.simulator.addNumber(DEMO_NUMBER, { smsUrl: `${BASE}/sms` });
    expect(await compare()).toMatchObject([{ state: "differs", differences: ["smsUrl"] }]);
  });

  it("says of a number that the account does not have that it is missing", async () => {
    await pool(DEMO_NUMBER, "+447700900999");
    expect(await compare()).toMatchObject([
      { phoneNumber: "+447700900999", state: "missing", sid: null, before: null },
      { phoneNumber: DEMO_NUMBER, state: "ok", differences: [] },
    ]);
  });

  it("leaves numbers of the account that are not in the pool out of it", async () => {
    world.simulator.addNumber(SECOND, { smsUrl: ELSEWHERE });
    expect(await compare()).toMatchObject([{ phoneNumber: DEMO_NUMBER, state: "ok" }]);
    await provision();
    expect(atTwilio(SECOND)).toMatchObject({ smsUrl: ELSEWHERE });
  });
});

describe("provisioning", () => {
  it("sets everything, and a second run finds nothing to do", async () => {
    const unset = { smsUrl: "", smsFallbackUrl: "", voiceUrl: "", statusCallback: "" };
    world.simulator.addNumber(DEMO_NUMBER, unset);
    expect(await provision()).toMatchObject([
      { phoneNumber: DEMO_NUMBER, outcome: "updated", before: unset, after: right },
    ]);
    expect(atTwilio(DEMO_NUMBER)).toMatchObject(right);
    expect(await provision()).toMatchObject([{ phoneNumber: DEMO_NUMBER, outcome: "unchanged" }]);
  });

  it("takes away an application, which Twilio would ask instead of the number's own URLs", async () => {
    world.simulator.addNumber(DEMO_NUMBER, { smsApplicationSid: APPLICATION });
    expect(await provision()).toMatchObject([
      { outcome: "updated", differences: ["smsApplicationSid"] },
    ]);
    expect(atTwilio(DEMO_NUMBER)).toMatchObject(right);
  });

  it("goes on with the other numbers when one fails", async () => {
    await pool(DEMO_NUMBER, SECOND);
    world.simulator.addNumber(DEMO_NUMBER, { smsUrl: ELSEWHERE });
    world.simulator.addNumber(SECOND, { smsUrl: ELSEWHERE });
    const stubborn: ProviderNumbers = {
      ...numbers,
      update: (sid, ...rest) =>
        sid === atTwilio(SECOND)?.sid
          ? Promise.reject(new Error("Twilio is busy"))
          : numbers.update(sid, ...rest),
    };
    expect(await provision(stubborn)).toMatchObject([
      { phoneNumber: SECOND, outcome: "failed", reason: "Twilio is busy" },
      { phoneNumber: DEMO_NUMBER, outcome: "updated" },
    ]);
    expect(atTwilio(DEMO_NUMBER)).toMatchObject(right);
  });

  it("does not believe that a number is set when Twilio's answer shows another value", async () => {
    world.simulator.addNumber(DEMO_NUMBER, { smsUrl: ELSEWHERE });
    const deaf: ProviderNumbers = {
      ...numbers,
      update: async (sid, changes, limit) =>
        numbers.update(sid, { ...changes, smsUrl: ELSEWHERE }, limit),
    };
    expect(await provision(deaf)).toMatchObject([
      { outcome: "failed", reason: "Twilio did not take smsUrl" },
    ]);
  });
});
