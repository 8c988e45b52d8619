import { describe, expect, it } from "@jest/globals";
import { ACCOUNT, CUSTOMER, message, OUR_NUMBER } from "../testing/meta-webhooks.ts";
import { of, read } from "../testing/read-meta.ts";

describe("beside the words of a WhatsApp message", () => {
  it("stands the provider's own item, of everything but a plain text", () => {
    const item = of("location", {
      location: { latitude: 1, longitude: 2, url: "https://x.example" },
    });
    expect(read(item).payload).toEqual(item);
    expect(read(message()).payload).toBeUndefined();
    expect(read(message({ context: null })).payload).toBeUndefined();
  });

  it("stands what a text refers to, and the group it was written in", () => {
    const beside = {
      context: { from: OUR_NUMBER, id: "wamid.1" },
      referral: { source_url: "https://fb.me/1", ctwa_clid: "abc" },
      group_id: "Z3JvdXA=",
    };
    expect(read(message(beside))).toMatchObject({
      from: `+${CUSTOMER}`,
      body: "Hello",
      payload: beside,
    });
  });

  it.each([
    ["1795262400", "2026-11-21T12:00:00.000Z"],
    [1795262400, "2026-11-21T12:00:00.000Z"],
    ["1795262400123", "2026-11-21T12:00:00.123Z"],
  ])("stands when it was sent: %j", (timestamp, sent) => {
    expect(read(message({ timestamp })).sentAt?.toISOString()).toBe(sent);
  });

  it.each([undefined, null, "", "0", "-1", "soon", 1.5, {}, [], "9".repeat(20)])(
    "stands no time when it was sent at %j",
    (timestamp) => {
      expect(read(message({ timestamp }))).not.toHaveProperty("sentAt");
    },
  );

  it("stands nothing that PostgreSQL cannot store", () => {
    const odd = "a\0b \ud83d é🔧";
    const said = read(message({ text: { body: odd } }));
    expect(said.body).toBe("ab \ufffd é🔧");
    const item = of("contacts", { contacts: [{ name: { formatted_name: odd }, [odd]: [odd] }] });
    const { body, payload } = read(item);
    expect(body).toBe("[contact: ab \ufffd é🔧]");
    expect(JSON.stringify(payload)).not.toMatch(/\\u0000|\\ud83d(?!\\u)/);
    expect(payload).toMatchObject({ contacts: [{ "ab \ufffd é🔧": ["ab \ufffd é🔧"] }] });
  });
});

describe("the id of a WhatsApp message", () => {
  const idOf = (more: Record<string, unknown>) => read(message(more)).providerMessageId;

  it("is Meta's", () => {
    expect(read(message())).toMatchObject({
      providerMessageId: "wamid.HBgLTEST",
      accountId: ACCOUNT,
    });
  });

  it.each([undefined, null, "", " ", {}, ["wamid.1"], "wamid 1", "w".repeat(3000)])(
    "is made of its content when it is %j",
    (id) => {
      expect(idOf({ id })).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(idOf({ id })).toBe(idOf({ id }));
      expect(idOf({ id })).not.toBe(idOf({ id, text: { body: "Another" } }));
    },
  );
});
