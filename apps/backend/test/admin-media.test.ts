import { beforeAll, describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { admin, api, pictureFrom, superAdmin, tokenFor, useAdminWorld } from "./admin-world.ts";
import { newCustomer } from "./operator-world.ts";

useAdminWorld();

let token: string;
beforeAll(async () => {
  token = await tokenFor({ sub: "owner", role: "admin", tenantId: demoTenant.id });
});

/** A picture of a customer, its file changed as a test needs it. */
async function aPicture(change: { state?: string; content?: Buffer | null; contentType?: string }) {
  const ids = await pictureFrom(admin.world, demoTenant.id, { phone: newCustomer() });
  const {
    state = "FETCHED",
    content = Buffer.from("a picture"),
    contentType = "image/jpeg",
  } = change;
  await admin.world.query(
    `UPDATE "MediaFile" SET "state" = $2, "content" = $3, "contentType" = $4, "dueAt" = 'infinity' WHERE "id" = $1`,
    [ids.fileId, state, content, contentType],
  );
  return ids;
}

function download(fileId: string) {
  return fetch(`${admin.gateway.url}/api/v1/media/${fileId}`, {
    headers: { authorization: `Bearer ${token}` },
  });
}

describe("a file of a customer's", () => {
  it("is named in the list of messages with its state and size", async () => {
    const { conversationId, messageId, fileId, caption } = await aPicture({});
    const { body } = await api("GET", `/conversations/${conversationId}/messages`);
    expect(body.items).toMatchObject([
      {
        id: messageId,
        type: "image",
        payload: { image: { caption } },
        files: [{ id: fileId, contentType: "image/jpeg", state: "FETCHED", size: 9 }],
      },
    ]);
  });

  it("is given out as it is, byte for byte, to be saved", async () => {
    const content = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
    const { fileId } = await aPicture({ content, contentType: "audio/ogg; codecs=opus" });
    const response = await download(fileId);
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "audio/ogg",
      "content-disposition": `attachment; filename="${fileId}.ogg"`,
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    });
  });

  it.each(["text/html", "image/svg+xml", "application/javascript", "constructor", ""])(
    "that a browser might run (%s) is given out as mere bytes",
    async (contentType) => {
      const { fileId } = await aPicture({ contentType });
      const { headers } = await download(fileId);
      expect(headers.get("content-type")).toBe("application/octet-stream");
      expect(headers.get("content-disposition")).toBe(`attachment; filename="${fileId}"`);
    },
  );

  it.each(["PENDING", "FAILED"])("that is %s cannot be saved yet or any more", async (state) => {
    const { conversationId, fileId } = await aPicture({ state, content: null });
    expect(await api("GET", `/media/${fileId}`)).toMatchObject({
      status: 409,
      body: { error: { code: "conflict" } },
    });
    const { body } = await api("GET", `/conversations/${conversationId}/messages`);
    expect(body.items).toMatchObject([{ files: [{ id: fileId, state, size: null }] }]);
  });

  it("does not exist for another tenant's admin, and does for a super-admin", async () => {
    const { fileId } = await aPicture({});
    const other = await admin.addTenant();
    expect((await other.admin("GET", `/media/${fileId}`)).status).toBe(404);
    expect((await superAdmin("GET", `/media/${fileId}`)).status).toBe(200);
    expect((await api("GET", "/media/1")).status).toBe(404);
  });
});
