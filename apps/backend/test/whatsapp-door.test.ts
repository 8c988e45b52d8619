import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { messagesEntry, serializeAsMeta, signatureHeaders } from "@jobrun/simulator";
import { metric } from "./call-world.ts";
import { eventually } from "./eventually.ts";
import type { RunningGateway, World } from "./harness.ts";
import { countRows } from "./rows.ts";
import {
  createWhatsAppWorld,
  newPerson,
  openAlerts,
  postAsMeta,
  rowsWith,
  startWhatsAppGateway,
  WEBHOOK_PATH,
} from "./whatsapp-world.ts";

let world: World;
let gateway: RunningGateway;
/** Takes unsigned webhooks, as in development. */
let unsigned: RunningGateway;

beforeAll(async () => {
  world = await createWhatsAppWorld();
  unsigned = await startWhatsAppGateway(world, { WEBHOOK_SIGNATURES: "off" });
  gateway = await startWhatsAppGateway(world);
});
afterAll(() => world.close());

const whatsApp = () => world.simulator.whatsApp;
let ids = 0;

/** A webhook of one text, as an object. */
function envelope(from: string, body = "My tap drips", more: object = {}): object {
  ids += 1;
  const message = {
    from: from.slice(1),
    id: `wamid.door${ids}`,
    timestamp: String(Math.floor(Date.now() / 1000)),
    type: "text",
    text: { body },
  };
  const entry = messagesEntry(whatsApp(), [message], "Zoë");
  return { object: "whatsapp_business_account", entry: [entry], ...more };
}

describe("the signature", () => {
  it("is over the bytes as Meta writes them, with everything escaped that Meta escapes", async () => {
    const { phone } = newPerson();
    const body = "Fuite à l'évier 🚿 see https://example.com/a <b> 50% me@example.com";
    const { final } = await whatsApp().text({ from: phone, body });
    expect(final?.status).toBe(200);
    expect(await rowsWith(world, phone)).toMatchObject([{ body }, { direction: "OUTBOUND" }]);
  });

  it("does not fit the same JSON written otherwise", async () => {
    const { phone } = newPerson();
    const body = envelope(phone, "à/b");
    const signed = await postAsMeta(gateway, world.simulator, serializeAsMeta(body));
    expect(signed.status).toBe(200);
    const written = JSON.stringify(envelope(phone, "à/b"));
    const asMetaWrites = serializeAsMeta(JSON.parse(written));
    const headers = signatureHeaders("x-hub-signature-256", asMetaWrites, whatsApp());
    expect((await postAsMeta(gateway, world.simulator, written, headers)).status).toBe(401);
  });

  it.each<[string, () => Record<string, string>]>([
    ["missing", () => ({})],
    ["of another secret", () => ({ "x-hub-signature-256": `sha256=${"0".repeat(64)}` })],
    ["empty", () => ({ "x-hub-signature-256": "sha256=" })],
    ["the older kind", () => ({ "x-hub-signature": `sha1=${"0".repeat(40)}` })],
    ["360dialog's", () => ({ "x-webhook-secret": whatsApp().webhookSecret })],
  ])("that is %s is refused with 401, counted, and nothing is stored", async (_name, headers) => {
    const line = 'jobrun_signature_failures_total{provider="whatsapp-cloud"}';
    const [before, rows] = [await metric(gateway, line), await countRows(world)];
    const body = serializeAsMeta(envelope(newPerson().phone));
    const answer = await postAsMeta(gateway, world.simulator, body, headers());
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "unauthorized" } });
    expect(await metric(gateway, line)).toBe(before + 1);
    expect(await countRows(world)).toEqual(rows);
  });
});

describe("the verification of the address", () => {
  const ask = async (query: Record<string, string>) => {
    const response = await fetch(`${gateway.url}${WEBHOOK_PATH}?${new URLSearchParams(query)}`);
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      body: await response.text(),
    };
  };
  const right = () => ({
    "hub.mode": "subscribe",
    "hub.verify_token": whatsApp().verifyToken,
    "hub.challenge": "<b>1158201444</b>",
  });

  it("is answered with the challenge, as text", async () => {
    const { status, type, body } = await ask(right());
    expect({ status, body }).toEqual({ status: 200, body: "<b>1158201444</b>" });
    expect(type).toMatch(/^text\/plain/);
  });

  it.each([
    { "hub.verify_token": "guessed" },
    { "hub.verify_token": "" },
    { "hub.mode": "unsubscribe" },
  ])("is refused with 403 for %j", async (wrong) => {
    const { status, body } = await ask({ ...right(), ...wrong });
    expect(status).toBe(403);
    expect(body).not.toContain("1158201444");
  });
});

it.each(["GET", "POST", "PUT", "DELETE", "PATCH"])(
  "the old address answers 410 to %s and names the new one",
  async (method) => {
    const response = await fetch(`${gateway.url}/whatsapp/webhook`, { method });
    expect(response.status).toBe(410);
    expect(await response.json()).toMatchObject({
      error: {
        code: "gone",
        message: expect.stringContaining(`https://gateway.example.com${WEBHOOK_PATH}`),
      },
    });
  },
);

describe("a body", () => {
  it.each([
    ["no JSON", "{", "body"],
    ["empty", "", "body"],
    ["a list", "[]", "body"],
    ["without entries", '{"object":"whatsapp_business_account"}', "entry"],
    ["of another product", '{"object":"page","entry":[]}', "object"],
  ])("that is %s is refused with 400 and the field", async (_name, body, field) => {
    const answer = await postAsMeta(gateway, world.simulator, body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body).error).toMatchObject({
      code: "malformed",
      message: expect.stringContaining(field),
    });
    const { requestId } = JSON.parse(answer.body).error;
    const line = await gateway.logged((entry) => entry["requestId"] === requestId);
    expect(line).toMatchObject({ message: expect.stringContaining(field), path: WEBHOOK_PATH });
  });

  it("of 3 MB is taken, a larger one is refused with 413", async () => {
    const { phone } = newPerson();
    const sized = (bytes: number) => {
      const empty = serializeAsMeta(envelope(phone, "My tap drips", { padding: "" })).length;
      return serializeAsMeta(
        envelope(phone, "My tap drips", { padding: "x".repeat(bytes - empty) }),
      );
    };
    const taken = sized(3 * 1024 * 1024);
    expect((await postAsMeta(gateway, world.simulator, taken)).status).toBe(200);
    expect(await rowsWith(world, phone)).toHaveLength(2);
    const rows = await countRows(world);
    const refused = await postAsMeta(gateway, world.simulator, sized(3 * 1024 * 1024 + 16));
    expect(refused.status).toBe(413);
    expect(await countRows(world)).toEqual(rows);
  });
});

describe("the receiver", () => {
  const withoutMetadata = (from: string) => {
    const body = envelope(from) as { entry: { changes: { value: { metadata?: object } }[] }[] };
    delete body.entry[0]?.changes[0]?.value.metadata;
    return serializeAsMeta(body);
  };

  it("that is missing is WHATSAPP_PHONE_NUMBER_ID while signatures are off", async () => {
    const { phone } = newPerson();
    const answer = await postAsMeta(unsigned, world.simulator, withoutMetadata(phone), {});
    expect(answer.status).toBe(200);
    expect(await rowsWith(world, phone)).toMatchObject([
      { direction: "INBOUND", recipient: whatsApp().phoneNumberId },
      { direction: "OUTBOUND" },
    ]);
  });

  it("that is missing is nobody otherwise: it is kept and never guessed", async () => {
    const { phone } = newPerson();
    const answer = await postAsMeta(gateway, world.simulator, withoutMetadata(phone));
    expect(answer.status).toBe(200);
    expect(await rowsWith(world, phone)).toEqual([]);
    expect(await unrouted(phone)).toMatchObject([{ recipient: "" }]);
  });

  describe("that is nobody's", () => {
    beforeEach(() => world.query('DELETE FROM "Alert"'));

    it("is answered with 200, its message kept, the founder told, the sender not", async () => {
      const { phone } = newPerson();
      const message = { from: phone, body: "Anybody there?", id: `wamid.nobody${phone}` };
      for (let time = 0; time < 2; time += 1) {
        const { final } = await whatsApp().text({ ...message, to: "999000111222333" });
        expect(final?.status).toBe(200);
      }
      expect(await unrouted(phone)).toMatchObject([
        { recipient: "999000111222333", body: "Anybody there?", answered: false },
      ]);
      expect(await rowsWith(world, phone)).toEqual([]);
      await eventually(
        () => openAlerts(world),
        (types) => types.includes("UNROUTED_MESSAGE"),
      );
      const [tenant] = await world.query<{ customers: number }>(
        'SELECT count(*)::int AS "customers" FROM "Customer" WHERE "clientId" = $1 AND "phone" = $2',
        [demoTenant.id, phone],
      );
      expect(tenant?.customers).toBe(0);
    });
  });

  function unrouted(sender: string) {
    return world.query(
      `SELECT "recipient", "body", "answered" FROM "UnroutedMessage" WHERE "sender" = $1 OR "payload"->>'from' = $2`,
      [sender, sender.slice(1)],
    );
  }
});
