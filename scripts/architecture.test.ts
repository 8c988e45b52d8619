import { describe, expect, it } from "@jest/globals";
import { findViolations } from "./architecture.ts";

const planted: [string, string, string][] = [
  [
    "a package imports the gateway",
    "packages/messaging/src/x.ts",
    'import { a } from "@jobrun/backend";',
  ],
  [
    "a package reaches into an app by path",
    "packages/db/src/x.ts",
    'import { a } from "../../../apps/backend/src/app.ts";',
  ],
  ["messaging imports Express", "packages/messaging/src/x.ts", 'import express from "express";'],
  ["messaging reads the environment", "packages/messaging/src/x.ts", 'const a = process.env["A"];'],
  [
    "the simulator runs the code it stands in for",
    "packages/simulator/src/x.ts",
    'import { a } from "@jobrun/messaging";',
  ],
  [
    "a feature imports a route",
    "apps/backend/src/outbound/x.ts",
    'import {\n  a,\n} from "../webhooks/sms.ts";',
  ],
  [
    "a feature imports a route while it runs",
    "apps/backend/src/outbound/x.ts",
    'const a = await import("../webhooks/sms.ts");',
  ],
  [
    "a feature imports the configuration",
    "apps/backend/src/alerts/x.ts",
    'import type { Config } from "../config.ts";',
  ],
  [
    "a feature imports Prisma",
    "apps/backend/src/alerts/x.ts",
    'import { PrismaClient } from "@prisma/client";',
  ],
  [
    "a feature imports the generated client",
    "apps/backend/src/alerts/x.ts",
    'export * from "../../../../packages/db/src/generated/client.ts";',
  ],
  [
    "the gateway imports the simulator",
    "apps/backend/src/app.ts",
    'import { startSimulator } from "@jobrun/simulator";',
  ],
  [
    "a feature asks which channel it is",
    "apps/backend/src/outbound/x.ts",
    'if (message.channel === "whatsapp") send();',
  ],
  [
    "the gateway starts an embedded PostgreSQL",
    "apps/backend/src/main.ts",
    'import { a } from "@jobrun/db/embedded";',
  ],
];

describe("who may import whom", () => {
  it.each(planted)("is broken when %s", (_, path, text) => {
    expect(findViolations([{ path, text }])).not.toEqual([]);
  });

  it.each([
    ["packages/simulator/src/x.ts", 'import type { Channel } from "@jobrun/messaging";'],
    [
      "apps/backend/src/main.ts",
      'import { readConfig } from "./config.ts";\nrunGateway(process.env);',
    ],
    ["apps/backend/src/app.ts", 'import { smsRoute } from "./webhooks/sms.ts";'],
    [
      "apps/backend/src/outbound/x.ts",
      "// https://example.com/whatsapp\nconst a = 1; /* 360dialog */",
    ],
    ["apps/backend/test/sms.test.ts", 'import { startSimulator } from "@jobrun/simulator";'],
    ["packages/db/src/database.ts", 'import { PrismaPg } from "@prisma/adapter-pg";'],
  ])("is kept by %s", (path, text) => {
    expect(findViolations([{ path, text }])).toEqual([]);
  });
});
