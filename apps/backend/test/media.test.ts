import { Writable } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import { twilioChannel, type Channel, type MediaResult } from "@jobrun/messaging";
import { mediaWorker } from "../src/media/fetch-media.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { eventually } from "./eventually.ts";
import { openTestDatabase, type OpenTestDatabase } from "./open-test-database.ts";

const CHANNEL = "pictures";
const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
const logger = createLogger({ level: "error", pretty: false, stream });

let test: OpenTestDatabase;
let workers: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  test = await openTestDatabase();
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  workers = [];
  await test.clear();
});
afterAll(() => test.close());

type Fetch = NonNullable<Channel["fetchMedia"]>;

const picture = (words: string): MediaResult => ({
  kind: "fetched",
  content: Buffer.from(words),
  contentType: "image/png",
});

/** A worker of a process whose channel fetches like this; without, its channel cannot. */
function startWorker(fetchMedia?: Fetch) {
  const sms = twilioChannel({
    accountSid: "AC1",
    authTokens: ["token"],
    statusCallbackUrl: "https://gateway.example.com",
    attemptTimeoutMs: 1000,
    segmentsPerSecond: 1,
    processing: "sync",
  });
  const channel: Channel = { ...sms, name: CHANNEL, ...(fetchMedia && { fetchMedia }) };
  const worker = mediaWorker({ db: test.db, channels: new Map([[CHANNEL, channel]]), logger });
  worker.start();
  workers.push(worker);
  return worker;
}

/** A file that came with a message. */
async function aFile({ ageHours = 0, reference = "media:1" } = {}): Promise<string> {
  const [id, messageId] = [newId(), newId()];
  await test.db.service.message.create({
    data: {
      id: messageId,
      tenantId: demoTenant.id,
      direction: "INBOUND",
      channel: CHANNEL,
      sender: "+447700900999",
      recipient: "1",
      body: "",
      status: "RECEIVED",
      files: {
        create: {
          id,
          tenantId: demoTenant.id,
          channel: CHANNEL,
          reference,
          contentType: "image/jpeg",
          createdAt: new Date(Date.now() - ageHours * 3_600_000),
        },
      },
    },
  });
  return id;
}

const fileOf = (id: string) => test.db.service.mediaFile.findUniqueOrThrow({ where: { id } });
const settled = (id: string) =>
  eventually(
    () => fileOf(id),
    ({ state }) => state !== "PENDING",
  );
const makeDue = (id: string) =>
  test.db.service.mediaFile.update({ where: { id }, data: { dueAt: new Date(0) } });

/** A fetch that goes on until it is answered or cut off. `entered` resolves when it has begun. */
function gate() {
  let enter = () => {};
  const entered = new Promise<void>((resolve) => (enter = resolve));
  let answer: (result: MediaResult) => void = () => {};
  const answered = new Promise<MediaResult>((resolve) => (answer = resolve));
  const fetchMedia: Fetch = (_reference, signal) => {
    signal.addEventListener("abort", () => answer({ kind: "unavailable", code: "aborted" }));
    enter();
    return answered;
  };
  return { fetchMedia, entered, answer };
}

describe("what is attached to a message", () => {
  it("is fetched by its reference and kept, as the type the provider says it is", async () => {
    const id = await aFile({ reference: "media:42" });
    startWorker(async (reference) => picture(`bytes of ${reference}`));
    const file = await settled(id);
    expect(file).toMatchObject({ state: "FETCHED", contentType: "image/png", error: null });
    expect(Buffer.from(file.content ?? []).toString()).toBe("bytes of media:42");
  });

  it("that the provider has no more is given up at once, with the reason", async () => {
    const id = await aFile();
    startWorker(async () => ({ kind: "gone", code: "131052" }));
    expect(await settled(id)).toMatchObject({ state: "FAILED", error: "131052", content: null });
  });

  it("is not kept when it is larger than 16 MB", async () => {
    const id = await aFile();
    const content = Buffer.alloc(16 * 1024 * 1024 + 1);
    startWorker(async () => ({ kind: "fetched", content, contentType: "video/mp4" }));
    const { state, error, content: kept } = await settled(id);
    expect({ state, error, isKept: kept !== null }).toEqual({
      state: "FAILED",
      error: "too-large",
      isKept: false,
    });
  });

  it("waits longer after each failure, and is fetched when the provider is back", async () => {
    const id = await aFile();
    let isBack = false;
    const worker = startWorker(async () =>
      isBack ? picture("late") : { kind: "unavailable", code: "http-503" },
    );
    const waits: number[] = [];
    for (const attempts of [1, 2, 3]) {
      const file = await eventually(
        () => fileOf(id),
        (row) => row.attempts === attempts && row.error === "http-503",
      );
      expect(file.state).toBe("PENDING");
      waits.push(Math.round((file.dueAt.getTime() - Date.now()) / 1000));
      await test.db.service.mediaFile.update({
        where: { id },
        data: { dueAt: new Date(0), error: null },
      });
      isBack = attempts === 3;
      worker.wake();
    }
    for (const [index, wait] of [10, 40, 160].entries())
      expect(Math.abs((waits[index] ?? 0) - wait)).toBeLessThan(5);
    expect(await settled(id)).toMatchObject({ state: "FETCHED", attempts: 4 });
  });

  it("is not asked for again before its wait is over", async () => {
    const [waiting, due] = [await aFile({ reference: "waiting" }), await aFile()];
    const inAnHour = new Date(Date.now() + 3_600_000);
    await test.db.service.mediaFile.update({ where: { id: waiting }, data: { dueAt: inAnHour } });
    const asked: string[] = [];
    startWorker(async (reference) => {
      asked.push(reference);
      return picture("x");
    });
    await settled(due);
    expect(asked).toEqual(["media:1"]);
  });

  it("is given up when it is more than a day old", async () => {
    const [young, old] = [await aFile({ ageHours: 23 }), await aFile({ ageHours: 25 })];
    startWorker(async () => ({ kind: "unavailable", code: "http-503" }));
    expect(await settled(old)).toMatchObject({ state: "FAILED", error: "http-503" });
    await eventually(
      () => fileOf(young),
      ({ error }) => error !== null,
    );
    expect(await fileOf(young)).toMatchObject({ state: "PENDING" });
  });

  it("waits where nothing can be fetched, as without credentials", async () => {
    const id = await aFile();
    startWorker();
    const file = await eventually(
      () => fileOf(id),
      ({ error }) => error !== null,
    );
    expect(file).toMatchObject({ state: "PENDING", error: "not-configured" });
  });

  it("is fetched once by any number of processes, at most four at a time in each", async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => aFile()));
    let calls = 0;
    const most = [0, 0];
    const busy = [0, 0];
    for (const process of [0, 1])
      startWorker(async () => {
        calls += 1;
        busy[process] = (busy[process] ?? 0) + 1;
        most[process] = Math.max(most[process] ?? 0, busy[process] ?? 0);
        // Long enough for the other lanes to come by.
        await test.db.service.$queryRaw`SELECT pg_sleep(0.02)::text`;
        busy[process] = (busy[process] ?? 0) - 1;
        return picture("x");
      });
    for (const id of ids) expect((await settled(id)).state).toBe("FETCHED");
    expect(calls).toBe(12);
    expect(Math.max(...most)).toBeLessThanOrEqual(4);
  });

  it("is fetched by another when its process was lost, and what comes late from that is not kept", async () => {
    const id = await aFile();
    const lost = gate();
    let calls = 0;
    const fetchMedia: Fetch = async (reference, signal) => {
      calls += 1;
      return calls === 1 ? lost.fetchMedia(reference, signal) : picture("of the second");
    };
    startWorker(fetchMedia);
    await lost.entered;
    await makeDue(id);
    startWorker(fetchMedia);
    expect(await settled(id)).toMatchObject({ attempts: 2 });
    lost.answer(picture("of the first"));
    await workers[0]?.stop();
    expect(Buffer.from((await fileOf(id)).content ?? []).toString()).toBe("of the second");
  });

  it("leaves nothing behind when it was erased while it was being fetched", async () => {
    await aFile();
    const { fetchMedia, entered, answer } = gate();
    const worker = startWorker(fetchMedia);
    await entered;
    await test.db.service.message.deleteMany();
    answer(picture("x"));
    await worker.stop();
    expect(await test.db.service.mediaFile.count()).toBe(0);
  });

  it("does not hold up a stop: what is being fetched is cut off and tried again later", async () => {
    const id = await aFile();
    const { fetchMedia, entered } = gate();
    const worker = startWorker(fetchMedia);
    await entered;
    await worker.stop();
    expect(await fileOf(id)).toMatchObject({ state: "PENDING", error: "aborted" });
  });
});
