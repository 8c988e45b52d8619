import { Writable } from "node:stream";
import { describe, expect, it } from "@jest/globals";
import { createLogger } from "./logger.ts";

function capture({ pretty = false } = {}) {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const logger = createLogger({ level: "info", pretty, stream });
  const parsed = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { logger, lines, parsed };
}

const KEY = "sk-proj-abcdefghijklmnop1234";
const NUMBER = "+447700900456";

describe("the log", () => {
  it("is one JSON object a line with time, level and message first", () => {
    const { logger, lines, parsed } = capture();
    logger.info("started", { port: 3001 });
    expect(parsed()).toEqual([
      { time: expect.any(String), level: "info", message: "started", port: 3001 },
    ]);
    expect(lines[0]).toMatch(/^\{"time":"\d{4}-.*","level":"info","message":"started"/);
  });

  it("leaves out what is below its level", () => {
    const { logger, lines } = capture();
    logger.debug("details");
    expect(lines).toEqual([]);
  });

  it.each([
    ["the message", (log: Log) => log.info(`text from ${NUMBER} with ${KEY}`)],
    ["a field", (log: Log) => log.info("x", { from: NUMBER, url: `https://h/?key=${KEY}` })],
    ["a deep field", (log: Log) => log.info("x", { a: [{ b: { c: new Set([NUMBER, KEY]) } }] })],
    ["a key", (log: Log) => log.info("x", { counts: { [NUMBER]: 3 } })],
    ["a map", (log: Log) => log.info("x", { counts: new Map([[NUMBER, KEY]]) })],
    ["an error", (log: Log) => log.error("x", { error: new Error(`to ${NUMBER}: ${KEY}`) })],
    ["an error as the entry", (log: Log) => log.error(new Error(`to ${NUMBER}: ${KEY}`))],
    [
      "an error as the second argument",
      (log: Log) => log.error("x", new Error(`to ${NUMBER} ${KEY}`)),
    ],
    [
      "a cause",
      (log: Log) =>
        log.error("x", { error: new Error("y", { cause: new Error(`${NUMBER} ${KEY}`) }) }),
    ],
    ["the arguments of printf style", (log: Log) => log.info("x %s", NUMBER, { y: KEY })],
  ])("shows no number and no key that is in %s", (_where, write) => {
    for (const pretty of [false, true]) {
      const { logger, lines } = capture({ pretty });
      write(logger);
      expect(lines).toHaveLength(1);
      expect(lines[0]).not.toContain("7700900456");
      expect(lines[0]).not.toContain("abcdefghijklmnop");
    }
  });

  it("masks a number so that its country and last digits still help", () => {
    const { logger, parsed } = capture();
    logger.info("x", { from: NUMBER });
    expect(parsed()[0]?.["from"]).toBe("+44*****0456");
  });

  it.each(["body", "text", "name", "apiKey", "token", "authorization", "password"])(
    "hides whatever stands under %s, at any depth",
    (key) => {
      const { logger, lines } = capture();
      logger.info("x", { [key]: "secret words", inner: [{ [key]: { more: "secret words" } }] });
      expect(lines[0]).not.toContain("secret words");
    },
  );

  it("describes an error by class, code, message and frames", () => {
    const { logger, parsed } = capture();
    logger.error("x", { error: Object.assign(new TypeError("broken"), { code: "P2002" }) });
    expect(parsed()[0]?.["error"]).toEqual({
      class: "TypeError",
      code: "P2002",
      message: "broken",
      stack: expect.stringMatching(/^\s+at .*logger\.test/),
    });
  });

  it.each([
    "new row violates check\nDETAIL:  Failing row contains (1, Jane Miller, my tap\nleaks).",
    "duplicate key\nDETAIL:  Key (name, note)=(Jane Miller, my tap (again) leaks) already exists.",
    'invalid input syntax for type uuid: "Jane Miller"',
    '\nInvalid `prisma.message.create()` invocation in\n/app/x.ts:1:1\n\n  1 create({ data: {\n    body: "Jane Miller",\n\n my tap\n }})\n\nUnique constraint failed',
  ])("drops the row values and arguments that a database error repeats: %j", (message) => {
    const { logger, lines } = capture();
    logger.error("x", { error: new Error(message) });
    logger.error(message);
    expect(lines.join("")).not.toMatch(/Jane|Miller|my tap|leaks/);
  });

  it("keeps ids, so that a line can be traced", () => {
    const { logger, parsed } = capture();
    const ids = {
      requestId: "019ab1c2-3d4e-7f60-8123-456789012345",
      providerMessageId: "SM0123456789abcdef0123456789abcdef",
    };
    logger.info("x", ids);
    expect(parsed()[0]).toMatchObject(ids);
  });

  it("survives cycles, buffers, bigints and functions", () => {
    const { logger, parsed } = capture();
    const cycle: Record<string, unknown> = { size: 10n, raw: Buffer.from("my tap"), f: () => 1 };
    cycle["self"] = cycle;
    logger.info("x", { cycle });
    expect(parsed()[0]?.["cycle"]).toMatchObject({ size: "10", raw: "[6 bytes]" });
  });
});

type Log = ReturnType<typeof createLogger>;
