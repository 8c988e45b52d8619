import { Writable } from "node:stream";
import { newId } from "@jobrun/db";
import { AlertService } from "../src/alerts/alert-service.ts";
import type { InboundResult } from "../src/conversations/handle-inbound.ts";
import { createOnboarding, type Onboarding } from "../src/onboarding/onboarding.ts";
import { createEvents } from "../src/telemetry/events.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { createMetrics } from "../src/telemetry/metrics.ts";
import type { OnboardingTimer, Timers } from "../src/timers/timers.ts";
import { openTestDatabase, type OpenTestDatabase } from "./open-test-database.ts";

export const SIGN_UP_NUMBER = "+447700900001";
export const OPS_NUMBER = "+447700900002";
export const POOL = ["+447700900701", "+447700900702", "+447700900703"] as const;
export const ANNA = "+447700900321";
export const BEN = "+447700900322";
/** What to text to come to the confirmation, and to the test call. */
export const TO_CONFIRM = ["hi", "plumber, Leeds", "Pipes & Co", "Anna", "same"];
export const TO_TEST_CALL = [...TO_CONFIRM, "yes", "2", "done"];

export interface SetTimer extends OnboardingTimer {
  name: string;
  afterMs: number;
}

/** Sign-up by text on a database of its own, with no gateway around it. */
export interface OnboardingWorld extends Pick<OpenTestDatabase, "db"> {
  onboarding: Onboarding;
  /** Set by the sign-ups, in order; they never fire by themselves. */
  timers: SetTimer[];
  log(): string;
  /** Makes another one on the same database, whose timers cannot be set. */
  withoutTimers(): Onboarding;
  addNumbers(numbers: readonly string[]): Promise<void>;
  text(from: string, body: string, sid?: string, by?: Onboarding): Promise<InboundResult>;
  /** Texts one after the other. @throws when one is not taken */
  says(from: string, bodies: readonly string[]): Promise<void>;
  signUpOf(phone: string): Promise<{ state: string; tenantId: string | null; revision: number }>;
  /** The texts that a person got or will get, in order. */
  told(phone: string): Promise<string[]>;
  /** Types of the open alerts. */
  openAlerts(): Promise<string[]>;
  close(): Promise<void>;
}

/** One number to sign up at, no number to give away. */
export async function createOnboardingWorld(): Promise<OnboardingWorld> {
  const { db, clear, close } = await openTestDatabase();
  await clear();
  await db.service.twilioNumber.deleteMany();
  await db.service.tenant.deleteMany();
  await db.service.twilioNumber.create({
    data: { phoneNumber: SIGN_UP_NUMBER, role: "ONBOARDING" },
  });

  const timers: SetTimer[] = [];
  let log = "";
  let sids = 0;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });
  const logger = createLogger({ level: "debug", pretty: false, stream });
  const events = createEvents({ logger, strict: true });
  const metrics = createMetrics();
  const nobody = { founderPhone: null, opsNumber: null, webhookUrl: null, pagerDuty: null };
  const alerts = new AlertService({
    db,
    logger,
    events,
    metrics,
    config: { disabled: true, ...nobody },
  });
  const remember: Timers = {
    schedule: async (_tx, name, data, afterMs) => {
      timers.push({ ...(data as OnboardingTimer), name, afterMs });
    },
  };
  const make = (given: Timers) =>
    createOnboarding({
      db,
      timers: given,
      events,
      metrics,
      alerts,
      logger,
      excluded: [OPS_NUMBER],
      wakeOutbox: () => {},
    });
  const onboarding = make(remember);

  function text(from: string, body: string, sid = `SM${(sids += 1)}`, by = onboarding) {
    return by.handle({
      from,
      body,
      channel: "sms",
      texted: SIGN_UP_NUMBER,
      media: [],
      type: "text",
      payload: null,
      silent: false,
      sentAt: null,
      providerMessageId: sid,
      requestId: newId(),
      deadline: Date.now() + 9000,
    });
  }

  return {
    db,
    onboarding,
    timers,
    text,
    log: () => log,
    withoutTimers: () => make({ schedule: () => Promise.reject(new Error("no timers")) }),
    addNumbers: async (numbers) => {
      for (const phoneNumber of numbers)
        await db.service.twilioNumber.create({ data: { phoneNumber } });
    },
    says: async (from, bodies) => {
      for (const body of bodies) {
        const { kind } = await text(from, body);
        if (kind !== "committed") throw new Error(`"${body}" is ${kind}: ${log}`);
      }
    },
    signUpOf: (phone) => db.service.onboardingState.findUniqueOrThrow({ where: { phone } }),
    told: async (recipient) => {
      const rows = await db.service.message.findMany({
        where: { recipient, direction: "OUTBOUND" },
        orderBy: { position: "asc" },
      });
      return rows.map(({ body }) => body);
    },
    openAlerts: async () => {
      const rows = await db.service.alert.findMany({ where: { state: "OPEN" } });
      return rows.map(({ type }) => type);
    },
    close: async () => {
      await onboarding.stop();
      await close();
    },
  };
}
