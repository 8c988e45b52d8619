import { describe, expect, it } from "@jest/globals";
import type { WebhookItem } from "../channel.ts";
import { change, enveloped, message, status, written } from "../testing/meta-webhooks.ts";
import { itemsIn, of } from "../testing/read-meta.ts";
import { readWebhook } from "./read-webhook.ts";

/** What makes careless readers throw, guess or lose the next item. */
const ODD: unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  "",
  " ",
  "\0",
  "\ud83d",
  "__proto__",
  "x".repeat(5000),
  [],
  [[]],
  [null],
  {},
  { length: 3 },
  { toString: 1, valueOf: 1, toJSON: 1 },
  JSON.parse('{"__proto__":{"type":"text"},"constructor":1,"hasOwnProperty":0}'),
];

/** Every place in a document. */
function placesIn(value: unknown, place: (string | number)[] = []): (string | number)[][] {
  const inner =
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, child]) => placesIn(child, [...place, key]))
      : [];
  return [place, ...inner];
}

function replaced(value: unknown, [key, ...rest]: (string | number)[], odd: unknown): unknown {
  if (key === undefined) return odd;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[key] = replaced(copy[key], rest, odd);
  return copy;
}

const INTERACTIVE = {
  type: "nfm_reply",
  button_reply: { id: "1", title: "Yes" },
  nfm_reply: { response_json: '{"a":1}', body: "Sent" },
};
const EDIT = { original_message_id: "wamid.1", message: { type: "text", text: { body: "B" } } };
const MESSAGES = [
  message({ from_user_id: "GB.1", context: { id: "wamid.1" }, errors: [{ code: 1 }] }),
  of("image", { image: { id: "1", mime_type: "image/png", caption: "C" } }),
  of("document", { document: { id: "1", filename: "plan.pdf" } }),
  of("location", { location: { latitude: 1, longitude: 2, name: "N", address: "A" } }),
  of("contacts", { contacts: [{ name: { formatted_name: "N" }, phones: [{ phone: "1" }] }] }),
  of("interactive", { interactive: INTERACTIVE }),
  of("button", { button: { text: "T", payload: "P" } }),
  of("reaction", { reaction: { message_id: "wamid.1", emoji: "👍" } }),
  of("order", { order: { text: "T", product_items: [{ product_retailer_id: "1", quantity: 1 }] } }),
  of("system", { system: { type: "user_changed_number", wa_id: "447400999999", body: "B" } }),
  of("edit", { edit: EDIT }),
];
const CONTACTS = [{ profile: { name: "A" }, wa_id: "447400123456", user_id: "GB.1" }];
const FAILED = status("failed", { errors: [{ code: 131026 }], recipient_type: "group" });

const BEFORE = message({ id: "wamid.BEFORE", from: "447400111111" });
const AFTER = message({ id: "wamid.AFTER", from: "447400222222" });

const isMessage = (item: WebhookItem | undefined, id: string) =>
  item?.kind === "message" &&
  item.message.providerMessageId === id &&
  item.message.body === "Hello";

describe("whatever stands in one place of a webhook", () => {
  it.each(MESSAGES)("costs no neighbour of a message: $type", (item) => {
    for (const place of placesIn(item)) {
      for (const odd of ODD) {
        const items = itemsIn(
          written(enveloped(change({ messages: [BEFORE, replaced(item, place, odd), AFTER] }))),
        );
        expect(items).toHaveLength(3);
        expect(isMessage(items[0], "wamid.BEFORE")).toBe(true);
        expect(["message", "unroutable"]).toContain(items[1]?.kind);
        expect(isMessage(items[2], "wamid.AFTER")).toBe(true);
        expectStorable(items);
      }
    }
  });

  it("costs no neighbour of a status", () => {
    for (const place of placesIn(FAILED)) {
      for (const odd of ODD) {
        const statuses = [status("sent"), replaced(FAILED, place, odd), status("read")];
        const items = itemsIn(written(enveloped(change({ statuses }))));
        expect(items).toHaveLength(3);
        expect(items[0]).toMatchObject({ receipt: { status: "SENT" } });
        expect(["receipt", "notice"]).toContain(items[1]?.kind);
        expect(items[2]).toMatchObject({ receipt: { status: "READ" } });
        expectStorable(items);
      }
    }
  });

  it("costs no neighbour of a change or of an entry", () => {
    const whole = change({ contacts: CONTACTS, messages: [message()], statuses: [FAILED] });
    const [before, after] = [change({ messages: [BEFORE] }), change({ messages: [AFTER] })];
    for (const place of placesIn(whole)) {
      for (const odd of ODD) {
        const items = itemsIn(written(enveloped(before, replaced(whole, place, odd), after)));
        expect(isMessage(items[0], "wamid.BEFORE")).toBe(true);
        expect(items.length).toBeGreaterThan(2);
        expect(isMessage(items.at(-1), "wamid.AFTER")).toBe(true);
        expectStorable(items);
      }
    }
    for (const odd of ODD) {
      const { object, entry } = enveloped(before);
      const items = itemsIn(
        written({ object, entry: [odd, ...entry, { id: odd, changes: odd }, odd] }),
      );
      expect(items.some((item) => isMessage(item, "wamid.BEFORE"))).toBe(true);
      expectStorable(items);
    }
  });

  it("is kept, as an item of its own", () => {
    const { object, entry } = enveloped(7, change({ messages: [8], statuses: [9] }), change({}));
    const items = itemsIn(written({ object, entry: [6, { id: "1" }, ...entry] }));
    expect(items).toMatchObject([
      { kind: "notice", notice: { payload: { entry: [6] }, effect: "none" } },
      { kind: "notice", notice: { payload: { id: "1" }, effect: "none" } },
      { kind: "notice", notice: { payload: { changes: [7] }, effect: "none" } },
      { kind: "unroutable", payload: { messages: [8] } },
      { kind: "notice", notice: { payload: { statuses: [9] }, effect: "none" } },
      { kind: "notice", notice: { field: "messages", effect: "none" } },
    ]);
  });

  it("is read without the name of its field, when it looks like messages", () => {
    const { value } = change({ messages: [BEFORE] });
    for (const field of [undefined, null, {}]) {
      const [item] = itemsIn(written(enveloped({ field, value })));
      expect(isMessage(item, "wamid.BEFORE")).toBe(true);
    }
  });

  it("is read where a list was meant", () => {
    const items = itemsIn(written(enveloped(change({ messages: BEFORE, statuses: FAILED }))));
    expect(isMessage(items[0], "wamid.BEFORE")).toBe(true);
    expect(items[1]).toMatchObject({ kind: "receipt", receipt: { status: "FAILED" } });
  });

  it("never makes reading throw, however broken or deep", () => {
    const whole = written(enveloped(change({ messages: [message()] }))).toString();
    for (let end = 0; end < whole.length; end += 1) {
      expect(readWebhook(Buffer.from(whole.slice(0, end)), "p")).toMatchObject({ ok: false });
    }
    const deep = `${"[".repeat(500_000)}${"]".repeat(500_000)}`;
    expect(readWebhook(Buffer.from(deep), "p")).toEqual({ ok: false, problems: ["body"] });
    const hidden = whole.replace('"body":"Hello"', `"body":"Hello","more":${deep}`);
    const typed = hidden.replace('"type":"text"', '"type":"unheard of"');
    expect(itemsIn(Buffer.from(hidden))).toMatchObject([{ message: { body: "Hello" } }]);
    expect(JSON.stringify(itemsIn(Buffer.from(typed))).length).toBeLessThan(1000);
  });
});

/** No NUL and no half of a surrogate pair anywhere, keys included: PostgreSQL would refuse the row. */
function expectStorable(items: WebhookItem[]): void {
  expect(JSON.stringify(items)).not.toMatch(/\\u0000|\\ud[89a-f][0-9a-f]{2}/);
}

describe("a webhook with many updates", () => {
  it("is read in its order, across entries and changes", () => {
    const first = enveloped(
      change({ messages: [message({ id: "1" }), message({ id: "2" })] }),
      change({ statuses: [status("sent", { id: "3" })] }),
    );
    const second = enveloped(
      change({
        messages: [message({ id: "4" })],
        statuses: [status("read", { id: "5" }), status("sent", { id: "6" })],
      }),
    );
    const items = itemsIn(written({ ...first, entry: [...first.entry, ...second.entry] }));
    const ids = items.map((item) => {
      if (item.kind === "message") return item.message.providerMessageId;
      return item.kind === "receipt" ? item.receipt.providerMessageId : item.kind;
    });
    expect(ids).toEqual(["1", "2", "3", "4", "5", "6"]);
  });

  it("of 3 MB gives each of its 1000 messages", () => {
    const body = written({
      object: "whatsapp_business_account",
      entry: Array.from({ length: 1000 }, (_, index) => {
        const from = String(447_400_000_000 + index);
        const text = { body: "Ça fuit 🔧 ".repeat(90) };
        const sent = message({ id: `wamid.${index}`, from, text });
        return { id: "1", changes: [change({ messages: [sent], contacts: [{ wa_id: from }] })] };
      }),
    });
    expect(body.length).toBeGreaterThan(2_500_000);
    expect(itemsIn(body)).toHaveLength(1000);
  });

  it("is read without a timestamp, a name of the account and a kind of contact", () => {
    const document = {
      object: "whatsapp_business_account",
      entry: [
        {
          changes: [
            {
              field: "messages",
              value: {
                messages: [
                  { from: "33612345678", id: "wamid.1", type: "text", text: { body: "Test" } },
                ],
              },
            },
          ],
        },
      ],
    };
    const result = readWebhook(Buffer.from(JSON.stringify(document)), "whatsapp-cloud", {
      to: "1",
    });
    expect(result).toEqual({
      ok: true,
      items: [
        {
          kind: "message",
          message: {
            channel: "whatsapp",
            provider: "whatsapp-cloud",
            providerMessageId: "wamid.1",
            accountId: "",
            from: "+33612345678",
            ids: { phone: "+33612345678", userId: null },
            to: "1",
            type: "text",
            body: "Test",
            media: [],
          },
        },
      ],
    });
  });
});
