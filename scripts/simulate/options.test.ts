import { describe, expect, it } from "@jest/globals";
import { readOptions } from "./options.ts";

const SMS_ID = `SM${"0".repeat(32)}`;
const CALL_ID = `CA${"0".repeat(32)}`;

describe("the arguments of pnpm simulate", () => {
  it("make one text of the demo's customer to the demo's business", () => {
    expect(readOptions(["I", "need a plumber", "--id", SMS_ID])).toEqual({
      channel: "sms",
      from: "+447123456789",
      to: "+447987654321",
      texts: [{ body: "I need a plumber", id: SMS_ID }],
      delayMs: 0,
      call: null,
    });
  });

  it("make a WhatsApp message to the number the simulator has, or to the one named", () => {
    const args = ["Hi", "--channel", "whatsapp"];
    const options = readOptions([...args, "--id", "wamid.1"]);
    expect(options).toMatchObject({ channel: "whatsapp", to: null });
    expect(options.texts).toEqual([{ body: "Hi", id: "wamid.1" }]);
    expect(readOptions(args).texts[0]?.id).toMatch(/^wamid\./);
    expect(readOptions([...args, "--to", "106540352242922"]).to).toBe("106540352242922");
  });

  it("make a call, also of somebody who withholds their number", () => {
    const { call, texts } = readOptions(["--call", "busy", "--from", "anonymous", "--id", CALL_ID]);
    expect(call).toEqual({ from: "anonymous", to: "+447987654321", outcome: "busy", sid: CALL_ID });
    expect(texts).toEqual([]);
  });

  it("give each of several texts an id of its own", () => {
    const ids = readOptions(["Hi", "--count", "3"]).texts.map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
  });

  it.each([
    [["--from", "", "Hi"], "--from takes a number such as"],
    [["--from", "07123456789", "Hi"], "--from takes a number such as"],
    [["--from", "anonymous", "Hi"], "--from takes a number such as"],
    [["--to", "+0", "Hi"], "--to takes a number such as"],
    [["--id", "SM123", "Hi"], "--id of a text is SM and 32"],
    [["--id", CALL_ID, "Hi"], "--id of a text is SM and 32"],
    [["--id", SMS_ID, "--call", "busy"], "--id of a call is CA and 32"],
    [["--call", "later"], "--call takes one of no-answer"],
    [["--call", "busy", "Hi"], "--call plays one call"],
    [["--count", "0", "Hi"], "--count takes a whole number from 1"],
    [["--delay", "", "Hi"], "--delay takes a whole number from 0"],
    [["--count", "2", "--id", SMS_ID, "Hi"], "--id names one message"],
    [["--channel", "pigeon", "Hi"], "--channel takes sms or whatsapp"],
    [
      ["--channel", "whatsapp", "--to", "+447987654321", "Hi"],
      "--to of whatsapp is a phone_number_id",
    ],
    [["--channel", "whatsapp", "--id", SMS_ID, "Hi"], "--id of whatsapp begins with wamid."],
    [["--channel", "whatsapp", "--call", "busy"], "--call has no --channel"],
    [[], "say what to text"],
  ])("are refused before anything is sent: %j", (args, reason) => {
    expect(() => readOptions(args)).toThrow(reason);
  });
});
