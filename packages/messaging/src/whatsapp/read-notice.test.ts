import { describe, expect, it } from "@jest/globals";
import type { ProviderNotice } from "../channel.ts";
import { ACCOUNT, enveloped, OUR_NUMBER, written } from "../testing/meta-webhooks.ts";
import { itemsIn, itemsOf } from "../testing/read-meta.ts";

function noticeIn(document: unknown): ProviderNotice {
  const [first] = itemsIn(written(document));
  if (first?.kind !== "notice") throw new Error(`It is ${first?.kind}`);
  return first.notice;
}

const noticeOf = (field: string, value: unknown) => noticeIn(enveloped({ field, value }));

const account = (event: string, more: Record<string, unknown> = {}) =>
  noticeOf("account_update", { event, ...more });
const banned = (state: unknown) =>
  account("DISABLED_UPDATE", { ban_info: { waba_ban_state: state } });
const template = (event: string, more: Record<string, unknown> = {}) =>
  noticeOf("message_template_status_update", {
    event,
    message_template_id: 1689556908129832,
    message_template_name: "order_ready",
    ...more,
  });
const number = (event: string) =>
  noticeOf("phone_number_quality_update", { display_phone_number: "+1 555-078-3881", event });

describe("a notice of WhatsApp", () => {
  it.each([
    ["a restriction of the account", account("ACCOUNT_RESTRICTION", { restriction_info: [] })],
    ["a violation by the account", account("ACCOUNT_VIOLATION", { violation_info: {} })],
    ["an account that is disabled", banned("DISABLE")],
    ["an account that will be disabled", banned("SCHEDULE_FOR_DISABLE")],
    ["an account that will be disabled, as a list", banned(["SCHEDULE_FOR_DISABLE"])],
    ["a deleted account", account("ACCOUNT_DELETED")],
    ["a disconnected account", account("ACCOUNT_OFFBOARDED")],
    ["a paused template", template("PAUSED", { other_info: { title: "FIRST_PAUSE" } })],
    ["a disabled template", template("DISABLED")],
    ["a flagged template", template("FLAGGED")],
    ["a rejected template", template("REJECTED", { reason: "INVALID_FORMAT" })],
    ["a flagged number", number("FLAGGED")],
    ["a number that may send less", number("DOWNGRADE")],
  ])("about %s stops something, and says so in a sentence", (_name, notice) => {
    expect(notice.effect).toBe("stops");
    expect(notice.summary).toMatch(/^[A-Z].*Meta.*\.$/);
  });

  it.each([
    ["an account that is back", banned("REINSTATE"), banned("DISABLE")],
    [
      "an account that is connected again",
      account("ACCOUNT_RECONNECTED"),
      account("ACCOUNT_OFFBOARDED"),
    ],
    ["a template that is approved", template("APPROVED"), template("REJECTED")],
    ["a template that is back", template("REINSTATED"), template("DISABLED")],
    ["a template that may be sent again", template("UNPAUSE"), template("PAUSED")],
    [
      "a template whose pause is over",
      template("PAUSED", { other_info: { title: "UNPAUSE" } }),
      template("PAUSED"),
    ],
    ["a number that is well again", number("UNFLAGGED"), number("FLAGGED")],
    ["a number that may send more", number("UPGRADE"), number("DOWNGRADE")],
    ["a number that may send faster", number("THROUGHPUT_UPGRADE"), number("FLAGGED")],
  ])("about %s ends what the one before stopped", (_name, end, stop) => {
    expect(end.effect).toBe("ends");
    expect(end.resource).toBe(stop.resource);
    expect(end).not.toHaveProperty("summary");
  });

  it("is about one account, template or number", () => {
    expect(account("ACCOUNT_DELETED").resource).toBe(`account:${ACCOUNT}`);
    expect(template("PAUSED").resource).toBe("template:1689556908129832");
    expect(template("PAUSED", { message_template_id: null }).resource).toBe("template:order_ready");
    expect(number("FLAGGED").resource).toBe("number:15550783881");
    expect(number("FLAGGED").summary).toContain("…3881");
  });

  it.each([
    ["a partner", account("PARTNER_ADDED")],
    ["an account state nobody has heard of", banned("PONDERED")],
    ["no account state", account("DISABLED_UPDATE")],
    ["a template that waits for approval", template("PENDING")],
    ["a new number", number("ONBOARDING")],
    ["a name that every object has", account("constructor")],
    [
      "a template's quality",
      noticeOf("message_template_quality_update", { new_quality_score: "RED" }),
    ],
    [
      "the limits of the business",
      noticeOf("business_capability_update", { max_daily_conversations_per_business: 2000 }),
    ],
    [
      "who wants no campaigns",
      noticeOf("user_preferences", { user_preferences: [{ value: "stop" }] }),
    ],
    ["a PIN", noticeOf("security", { event: "PIN_CHANGED" })],
    [
      "messages from the phone",
      noticeOf("smb_message_echoes", { message_echoes: [{ id: "wamid.1" }] }),
    ],
    ["something of the future", noticeOf("constructor", { event: "FLAGGED" })],
    ["nothing", noticeOf("account_update", null)],
  ])("about %s is kept, and stops nothing", (_name, notice) => {
    expect(notice).toMatchObject({ effect: "none", accountId: ACCOUNT });
    expect(notice).not.toHaveProperty("summary");
  });

  it("is kept with the time that tells it from the next of its kind", () => {
    const change = { field: "account_update", value: { event: "ACCOUNT_DELETED" } };
    const entry = { id: ACCOUNT, time: 1795262400, changes: [change] };
    expect(noticeIn({ object: "whatsapp_business_account", entry: [entry] })).toEqual({
      provider: "whatsapp-cloud",
      channel: "whatsapp",
      accountId: ACCOUNT,
      field: "account_update",
      payload: entry,
      effect: "stops",
      resource: `account:${ACCOUNT}`,
      summary: expect.any(String),
    });
  });

  it.each([
    [
      "in the entry",
      {
        id: ACCOUNT,
        field: "account_update",
        object: "whatsapp_business_account",
        changes: [{ value: { event: "ACCOUNT_DELETED" } }],
      },
    ],
    [
      "in the value",
      {
        id: ACCOUNT,
        changes: [
          {
            value: {
              field: "account_update",
              object: "whatsapp_business_account",
              event: "ACCOUNT_DELETED",
            },
          },
        ],
      },
    ],
  ])("is understood with its field and object %s", (_name, entry) => {
    expect(noticeIn({ entry: [entry] })).toMatchObject({
      field: "account_update",
      effect: "stops",
    });
  });

  it("of an account without a name is known by its number", () => {
    const change = {
      field: "account_update",
      value: { phone_number: "1555", event: "ACCOUNT_DELETED" },
    };
    const document = { object: "whatsapp_business_account", entry: [{ changes: [change] }] };
    expect(noticeIn(document)).toMatchObject({ accountId: "1555", resource: "account:1555" });
  });

  it("tells errors that belong to no message", () => {
    const errors = [{ code: 131000, title: "Something went wrong" }];
    expect(itemsOf({ errors })).toMatchObject([
      {
        notice: { accountId: OUR_NUMBER, field: "errors", payload: { errors }, effect: "none" },
      },
    ]);
  });
});
