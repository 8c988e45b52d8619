import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@jobrun/db";
import { startSimulator, type Simulator } from "@jobrun/simulator";
import pg from "pg";
import { type Balancer, startBalancer } from "./balancer.ts";
import { type Control, installControl } from "./controls.ts";
import { type Fleet, startFleet } from "./fleet.ts";
import { keepHistory } from "./figures.ts";
import type { DeliveryTimings } from "@jobrun/backend";
import type { Customer } from "./traffic.ts";

/** As of SMS_PROCESSING. */
export type Processing = "sync" | "deferred";

/** Everything a run needs. The provider lives in this process, so that its log survives every kill. */
export interface World {
  simulator: Simulator;
  database: pg.Pool;
  fleet: Fleet;
  balancer: Balancer;
  customers: Customer[];
  operators: ReadonlySet<string>;
  /** What the gateways wrote. */
  logFile: string;
  close(): Promise<void>;
}

const TENANTS = 5;
const MOST_CUSTOMERS_EACH = 40;
/** So many texts a customer writes when they are few: enough for an order to matter. */
const TEXTS_EACH = 5;
const SWEEP_SECONDS = 2;
/** What an answer of the model takes where workers ask it: a kill finds turns in work. */
const MODEL_MS = 400;
/** Every text shall be answered, however fast they come. */
const RATE = { max: 1_000, windowSeconds: 30 };

/**
 * Starts everything on a migrated database that is the run's own.
 *
 * @throws Error when a gateway does not start
 */
export async function createWorld(options: {
  databaseUrl: string;
  processes: number;
  messages: number;
  processing: Processing;
  timings: DeliveryTimings;
  control: Control | null;
}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "jobrun-chaos-"));
  const logFile = join(folder, "gateways.log");
  // An idle connection that ends with the server of an interrupted run is no error.
  const database = new pg.Pool({ connectionString: options.databaseUrl, max: 2 }).on(
    "error",
    () => {},
  );
  const simulator = await startSimulator();
  let fleet: Fleet | undefined;
  const balancer = await startBalancer(() => fleet?.ports() ?? []);
  const close = async () => {
    await fleet?.end();
    balancer.close();
    await simulator.close();
    await database.end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const people = await addTenants(database, options.messages);
    await keepHistory(database);
    if (options.control !== null) await installControl(database, options.control);
    fleet = await startFleet(
      options.processes,
      {
        NODE_ENV: "production",
        JWT_SECRET: randomBytes(32).toString("hex"),
        NODE_COMPILE_CACHE: join(folder, "compiled"),
        CHAOS_TIMINGS: JSON.stringify(options.timings),
        PUBLIC_BASE_URL: balancer.url,
        DATABASE_URL: options.databaseUrl,
        TWILIO_ACCOUNT_SID: simulator.accountSid,
        TWILIO_AUTH_TOKEN: simulator.authToken,
        TWILIO_API_BASE_URL: simulator.twilioUrl,
        // A number's usual rate of one segment a second would stretch the run and prove nothing here.
        TWILIO_SEGMENTS_PER_SECOND: "1000",
        SWEEP_INTERVAL_SECONDS: String(SWEEP_SECONDS),
        SMS_PROCESSING: options.processing,
        ...(options.processing === "deferred" && slowModel(simulator)),
        LOG_LEVEL: "info",
      },
      logFile,
    );
    return { ...people, simulator, database, fleet, balancer, logFile, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** With a script the workers' turns would be over before a kill could find one. */
function slowModel(simulator: Simulator): Record<string, string> {
  simulator.setFaults({ modelDelayMs: MODEL_MS });
  return { OPENAI_API_KEY: simulator.openaiKey, OPENAI_BASE_URL: simulator.openaiUrl };
}

async function addTenants(
  database: pg.Pool,
  messages: number,
): Promise<{ customers: Customer[]; operators: Set<string> }> {
  const each = Math.min(MOST_CUSTOMERS_EACH, Math.ceil(messages / TENANTS / TEXTS_EACH));
  const customers: Customer[] = [];
  const operators = new Set<string>();
  for (let tenant = 1; tenant <= TENANTS; tenant += 1) {
    const id = newId();
    const operator = `+4477009010${two(tenant)}`;
    const texts = `+4479876550${two(tenant)}`;
    operators.add(operator);
    await database.query(
      `INSERT INTO "Client" ("id", "name", "operatorPhone", "plan", "limits") VALUES ($1, $2, $3, 'enterprise', $4)`,
      [id, `Chaos Plumbing ${tenant}`, operator, { conversationRate: RATE, senderRate: RATE }],
    );
    await database.query(
      `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "clientId") VALUES ($1, 'OPERATIONAL', $2)`,
      [texts, id],
    );
    for (let customer = 1; customer <= each; customer += 1)
      customers.push({ phone: `+44712300${two(tenant)}${two(customer)}`, texts });
  }
  return { customers, operators };
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
