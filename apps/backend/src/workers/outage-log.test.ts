import { Writable } from "node:stream";
import { expect, it } from "@jest/globals";
import { createLogger } from "../telemetry/logger.ts";
import { OutageLog } from "./outage-log.ts";

interface Line {
  level: string;
  message: string;
  worker: string;
  error?: Record<string, string>;
}

function startLog() {
  const lines: Line[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Line);
      done();
    },
  });
  const logger = createLogger({ level: "info", pretty: false, stream });
  return { lines, outage: new OutageLog(logger, "chores", "chores failed") };
}

const refused = () => Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

it("an error of another kind is said each time, with its stack, also while the database is away", () => {
  const { lines, outage } = startLog();
  outage.failed(new Error("a bug"));
  outage.failed(refused());
  outage.failed(new Error("a bug"));
  outage.failed(refused());
  expect(lines.map(({ error }) => error?.["message"] ?? error?.["code"])).toEqual([
    "a bug",
    "ECONNREFUSED",
    "a bug",
  ]);
  expect(lines[0]?.error?.["stack"]).toContain("outage-log.test.ts");
});

it.each([
  ["a refused connection", refused(), "ECONNREFUSED"],
  [
    "a pool that waited in vain",
    new Error("timeout exceeded when trying to connect"),
    "connection-lost",
  ],
  ["a server that shuts down", Object.assign(new Error("x"), { code: "57P01" }), "57P01"],
  [
    "a database that is closed for connections",
    Object.assign(new Error("x"), { code: "55000", severity: "FATAL" }),
    "55000",
  ],
])("%s is said once, and so is its end", async (_what, error, code) => {
  const { lines, outage } = startLog();
  for (let times = 0; times < 3; times += 1) await outage.watch(() => Promise.reject(error));
  for (let times = 0; times < 3; times += 1) await outage.watch(async () => {});
  expect(lines).toMatchObject([
    { level: "error", message: "chores failed", worker: "chores", error: { class: "Error", code } },
    { level: "info", message: "the database is back", worker: "chores", seconds: 0 },
  ]);
});

it("a statement that ran too long is no outage", async () => {
  const { lines, outage } = startLog();
  const error = Object.assign(new Error("canceling statement"), {
    code: "57014",
    severity: "ERROR",
  });
  for (let times = 0; times < 2; times += 1) await outage.watch(() => Promise.reject(error));
  expect(lines).toHaveLength(2);
});
