import { expect, it } from "@jest/globals";
import { startSimulator } from "@jobrun/simulator";
import { refuseUnknownNumber } from "./numbers.ts";

it.each([
  ["sms", "+447987654321", "+447987654321", "/admin/numbers"],
  ["whatsapp", "200", "106540352242922", "/admin/whatsapp/numbers"],
] as const)(
  "a number of %s that the simulator has not is refused with those it has, until it is added as told",
  async (channel, to, has, path) => {
    const numbers = channel === "sms" ? ["+447700900001"] : ["+447987654321"];
    const simulator = await startSimulator({ numbers });
    try {
      const check = () => refuseUnknownNumber(simulator.url, { channel, to });
      const problem = await check().then(String, String);
      expect(problem).toContain(`${to} is not a number of the simulator's account`);
      expect(problem).toContain(channel === "sms" ? "+447700900001" : has);
      const body = /-d '(.+)'/.exec(problem)?.[1] ?? "";
      expect((await fetch(simulator.url + path, { method: "POST", body })).status).toBe(200);
      await expect(check()).resolves.toBeUndefined();
    } finally {
      await simulator.close();
    }
  },
);
