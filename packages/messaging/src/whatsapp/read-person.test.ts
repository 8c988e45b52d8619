import { describe, expect, it } from "@jest/globals";
import { CUSTOMER, enveloped, message, OUR_NUMBER, written } from "../testing/meta-webhooks.ts";
import { itemsIn, itemsOf, of, read } from "../testing/read-meta.ts";

const PHONE = `+${CUSTOMER}`;
const USER = "GB.13491208655302741918";

describe("the sender of a WhatsApp message", () => {
  const contact = { profile: { name: "A" }, wa_id: CUSTOMER, user_id: USER };
  const idsOf = (item: Record<string, unknown>, contacts?: unknown) => read(item, { contacts }).ids;

  it.each<
    [string, Record<string, unknown>, unknown, { phone: string | null; userId: string | null }]
  >([
    ["by number", {}, undefined, { phone: PHONE, userId: null }],
    ["by number and user id", { from_user_id: USER }, undefined, { phone: PHONE, userId: USER }],
    ["by number, and by the contact's user id", {}, [contact], { phone: PHONE, userId: USER }],
    [
      "by user id, and by the contact's number",
      { from: undefined, from_user_id: USER },
      [contact],
      { phone: PHONE, userId: USER },
    ],
    [
      "by user id alone, the number missing",
      { from: undefined, from_user_id: USER },
      [{ user_id: USER }],
      { phone: null, userId: USER },
    ],
    [
      "by user id alone, the number empty",
      { from: "", from_user_id: USER },
      [{ wa_id: "", user_id: USER }],
      { phone: null, userId: USER },
    ],
    ["by the only contact", { from: "" }, [contact], { phone: PHONE, userId: USER }],
    [
      "by a user id in place of the number",
      { from: USER },
      undefined,
      { phone: null, userId: USER },
    ],
    [
      "by number alone, though an id of several portfolios is there",
      { from_parent_user_id: "GB.ENT.1" },
      undefined,
      { phone: PHONE, userId: null },
    ],
    [
      "by the id of several portfolios, for want of another",
      { from: "", from_parent_user_id: "GB.ENT.1" },
      undefined,
      { phone: null, userId: "GB.ENT.1" },
    ],
    [
      "by a number that the contact writes otherwise",
      { from: "5511987654321" },
      [{ wa_id: "551187654321", user_id: "BR.1" }],
      { phone: "+5511987654321", userId: "BR.1" },
    ],
    [
      "by the contact that is theirs among several",
      {},
      [{ wa_id: "447400999999", user_id: "GB.2" }, contact],
      { phone: PHONE, userId: USER },
    ],
    [
      "by no contact of somebody else",
      { from: "", from_user_id: "GB.9" },
      [{ user_id: "GB.2", wa_id: "447400999999" }],
      { phone: null, userId: "GB.9" },
    ],
    [
      "by no contact when it could be either",
      { from: "", from_user_id: USER },
      [{ wa_id: CUSTOMER }, { wa_id: "447400999999" }],
      { phone: null, userId: USER },
    ],
    [
      "by number, with and without +",
      { from: `+${CUSTOMER}` },
      undefined,
      { phone: PHONE, userId: null },
    ],
    [
      "by a number that is one in JSON",
      { from: Number(CUSTOMER) },
      undefined,
      { phone: PHONE, userId: null },
    ],
  ])("is known %s", (_name, more, contacts, ids) => {
    const received = read(message(more), { contacts });
    expect(received.ids).toEqual(ids);
    expect(received.from).toBe(ids.phone ?? ids.userId);
  });

  it("is not taken from the only contact of several messages", () => {
    const messages = [message(), message({ id: "wamid.2", from: "447400999999" })];
    const items = itemsOf({ messages, contacts: [{ wa_id: "447400888888", user_id: "GB.2" }] });
    expect(items).toMatchObject([
      { message: { ids: { phone: PHONE, userId: null } } },
      { message: { ids: { phone: "+447400999999", userId: null } } },
    ]);
  });

  it.each([
    ["nobody", { from: undefined }],
    ["an empty number", { from: "" }],
    ["a number that is too short", { from: "12" }],
    ["an object", { from: {} }],
    ["an id with a NUL", { from: "\0" }],
    ["an id that is far too long", { from: "", from_user_id: `GB.${"1".repeat(5000)}` }],
  ])("who is %s cannot be answered, and the message is kept", (_name, more) => {
    const item = message(more);
    expect(itemsOf({ messages: [item] })).toEqual([
      {
        kind: "unroutable",
        providerMessageId: item.id,
        sender: "",
        receiver: OUR_NUMBER,
        payload: JSON.parse(JSON.stringify(item).replaceAll("\\u0000", "")),
      },
    ]);
  });

  it("is told when our number is not", () => {
    const body = written(enveloped({ field: "messages", value: { messages: [message()] } }));
    expect(itemsIn(body)).toMatchObject([{ kind: "unroutable", sender: PHONE, receiver: "" }]);
  });

  const changed = (system: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    of("system", { system, ...more });

  it("who changed the number is known by the new one, and formerly was by the old", () => {
    const system = { type: "user_changed_number", wa_id: "447400999999", body: "A changed" };
    const item = changed(system, { from_user_id: USER });
    expect(read(item)).toMatchObject({ from: "+447400999999", silent: true, payload: item });
    expect(idsOf(item)).toEqual({
      phone: "+447400999999",
      userId: null,
      formerly: { phone: PHONE, userId: USER },
    });
    expect(idsOf(changed({ type: "user_changed_number", new_wa_id: "447400999999" }))).toEqual({
      phone: "+447400999999",
      userId: null,
      formerly: { phone: PHONE, userId: null },
    });
  });

  it("whose user id changed is known by the new one, and formerly was by the old", () => {
    const type = "user_changed_user_id";
    const now = { phone: null, userId: "GB.2" };
    const without = { from: "" };
    const formerly = { phone: null, userId: USER };
    const told = `User A changed from ${USER} to GB.2`;
    expect(idsOf(changed({ type, user_id: "GB.2" }, { ...without, from_user_id: USER }))).toEqual({
      ...now,
      formerly,
    });
    expect(idsOf(changed({ type, user_id: "GB.2", previous_user_id: USER }, without))).toEqual({
      ...now,
      formerly,
    });
    expect(idsOf(changed({ type, user_id: "GB.2", body: told }, without))).toEqual({
      ...now,
      formerly,
    });
    expect(idsOf(changed({ type, user_id: "GB.2", wa_id: "447400999999" }))).toEqual({
      phone: "+447400999999",
      userId: "GB.2",
      formerly: { phone: PHONE, userId: null },
    });
  });

  it("who changed from or to nothing known is who the message tells", () => {
    const type = "user_changed_user_id";
    expect(idsOf(changed({ type }))).toEqual({ phone: PHONE, userId: null });
    expect(
      idsOf(
        changed({ type, user_id: "GB.2", body: "User A changed from here to there" }, { from: "" }),
      ),
    ).toEqual({
      phone: null,
      userId: "GB.2",
    });
    expect(itemsOf({ messages: [changed({ type }, { from: "" })] })).toMatchObject([
      { kind: "unroutable" },
    ]);
  });
});
