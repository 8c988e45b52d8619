import { describe, expect, it } from "@jest/globals";
import type { Receipt } from "../channel.ts";
import { OUR_NUMBER, status } from "../testing/meta-webhooks.ts";
import { itemsOf } from "../testing/read-meta.ts";

const GROUP = { recipient_type: "group", recipient_id: "Z3JvdXA=" };

function read(item: unknown): Receipt {
  const [first] = itemsOf({ statuses: [item] });
  if (first?.kind !== "receipt") throw new Error(`It is ${first?.kind}`);
  return first.receipt;
}

describe("a status of WhatsApp", () => {
  it.each([
    ["sent", "SENT"],
    ["delivered", "DELIVERED"],
    ["read", "READ"],
    ["played", "READ"],
    ["failed", "FAILED"],
  ])("that says %s means %s", (word, meant) => {
    expect(read(status(word)).status).toBe(meant);
  });

  it.each([
    ["deleted", status("deleted")],
    ["something unheard of", status("teleported")],
    ["the name of a part of every object", status("constructor")],
    ["nothing", status("sent", { status: undefined })],
    ["nothing about a message", status("sent", { id: undefined })],
    ["something about a message of an impossible name", status("sent", { id: "a b" })],
  ])("that says %s is kept, and changes nothing", (_name, item) => {
    const payload = JSON.parse(JSON.stringify(item));
    expect(itemsOf({ statuses: [item] })).toEqual([
      {
        kind: "notice",
        notice: {
          provider: "whatsapp-cloud",
          channel: "whatsapp",
          accountId: OUR_NUMBER,
          field: "statuses",
          payload,
          effect: "none",
        },
      },
    ]);
  });

  it.each([
    [[{ code: 131026, title: "Undeliverable" }], "131026"],
    [[{ code: "131026" }], "131026"],
    [[{ code: 131049 }, { code: 131026 }], "131049"],
    [{ code: 131026 }, "131026"],
    [[], "unknown"],
    [undefined, "unknown"],
    ["131026", "unknown"],
    [[{ code: "a\0" }], "unknown"],
    [[{ code: -1 }], "unknown"],
    [[null], "unknown"],
  ])("that failed because of %j has the code %s", (errors, code) => {
    expect(read(status("failed", { errors }))).toMatchObject({ status: "FAILED", code });
  });

  it("has no code unless it failed", () => {
    expect(read(status("delivered", { errors: [{ code: 131050 }] }))).toEqual({
      provider: "whatsapp-cloud",
      providerMessageId: "wamid.OUT",
      messageId: null,
      status: "DELIVERED",
      code: null,
    });
  });

  it("tells who wants no campaigns any more, and says it of no other failure", () => {
    expect(read(status("failed", { errors: [{ code: 131050 }] })).optOut).toBe("marketing");
    expect(read(status("failed", { errors: [{ code: 131026 }] }))).not.toHaveProperty("optOut");
  });

  it.each([
    [{ recipient_participant_id: "447400123456" }, "447400123456"],
    [{ participant_recipient_id: "447400123456" }, "447400123456"],
    [{ recipient_participant_user_id: "GB.1" }, "GB.1"],
    [{ recipient_participant_id: "", recipient_participant_user_id: "GB.1" }, "GB.1"],
  ])("of a group tells whose it is: %j", (more, participant) => {
    expect(read(status("read", { ...GROUP, ...more }))).toMatchObject({ participant });
  });

  it("of one person names no participant, and of a group only one that can be told apart", () => {
    const named = { recipient_participant_id: "447400123456" };
    expect(read(status("read", named))).not.toHaveProperty("participant");
    expect(read(status("read", GROUP))).not.toHaveProperty("participant");
    expect(read(status("read", { ...GROUP, recipient_participant_id: {} }))).not.toHaveProperty(
      "participant",
    );
  });

  it("of the same message comes once per participant, in the order it came", () => {
    const one = status("delivered", { ...GROUP, recipient_participant_id: "447400123456" });
    const other = status("delivered", { ...GROUP, recipient_participant_id: "447400123457" });
    expect(itemsOf({ statuses: [one, other] })).toMatchObject([
      { receipt: { providerMessageId: "wamid.OUT", participant: "447400123456" } },
      { receipt: { providerMessageId: "wamid.OUT", participant: "447400123457" } },
    ]);
  });
});
