import { parseArgs } from "node:util";
import { demoTenant } from "@jobrun/db/migrate";
import type { Simulator } from "@jobrun/simulator";
import { ConfigError } from "../apps/backend/src/config.ts";
import { demoText } from "./start/demo-text.ts";
import { isSimulated, readSettings, type Environment } from "./start/settings.ts";
import { loadEnvironmentFile, POSTGRES_FOLDER, readArguments, say } from "./terminal.ts";

const usage = `usage: pnpm start

Starts the gateway, and a double of everything it needs that is not configured: PostgreSQL in .data/, a simulator for
Twilio and WhatsApp. It takes no arguments; .env.example says what to set in .env or in the environment.`;

const STOP_LIMIT_MS = 30_000;
const PROVISION_LIMIT_MS = 10_000;

/** What has been started, in order; stopped the other way round. */
const running: { name: string; stop: () => Promise<void> }[] = [];
let stopping = false;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => void stopAll(0));

readArguments(usage, () => parseArgs({ options: {} }));
try {
  await start();
} catch (error) {
  say(`\n  Could not start: ${explain(error)}\n`);
  await stopAll(1);
}

/** `pnpm start`: the gateway, and a double of everything it needs that is not configured. */
async function start(): Promise<void> {
  loadEnvironmentFile();
  const env = readSettings(process.env);
  // An address from outside may hold a password that is nobody's business on a screen.
  const ownDatabase = env["DATABASE_URL"] ? null : await startDatabase();
  env["DATABASE_URL"] ||= ownDatabase ?? "";

  const { migrate, seed, seedDemoNumbers } = await import("@jobrun/db/migrate");
  for (const name of await migrate(env["DATABASE_URL"])) say(`› Applied the migration ${name}`);

  const simulated = isSimulated(env);
  let setWhatsAppWebhook = async (_gatewayUrl: string): Promise<void> => {};
  if (simulated) {
    const hasWhatsApp = Boolean(env["WHATSAPP_ACCESS_TOKEN"] || env["WHATSAPP_API_KEY"]);
    if (!hasWhatsApp) {
      const { whatsAppNumber } = await import("@jobrun/simulator");
      env["WHATSAPP_PHONE_NUMBER_ID"] ||= whatsAppNumber.phoneNumberId;
    }
    await seed(env["DATABASE_URL"], env["WHATSAPP_PHONE_NUMBER_ID"] || undefined);
    const simulator = await startSimulator(env, await seedDemoNumbers(env["DATABASE_URL"]));
    if (!hasWhatsApp) setWhatsAppWebhook = useSimulatedWhatsApp(env, simulator);
    await provisionDemo(env);
  }
  const { runGateway } = await import("@jobrun/backend");
  const gateway = await runGateway(env);
  running.push({ name: "gateway", stop: () => gateway.stop() });
  await setWhatsAppWebhook(gateway.url);
  say(
    simulated ? demoText(gateway.url, ownDatabase, env) : `\n  Gateway    ${gateway.url}/health\n`,
  );
}

async function startDatabase(): Promise<string> {
  const { startEmbeddedPostgres } = await import("@jobrun/db/embedded");
  const postgres = await startEmbeddedPostgres({
    dataDir: POSTGRES_FOLDER,
    log: (line) => say(`› ${line}`),
  });
  running.push({ name: "PostgreSQL", stop: () => postgres.stop() });
  const { watchDatabase } = await import("./start/watch-database.ts");
  const watch = await watchDatabase(postgres.url, () => {
    if (stopping) return;
    say(
      "\n  PostgreSQL has ended, with the JobRun that had started it or by itself. Start again.\n",
    );
    void stopAll(1);
  });
  running.push({ name: "watch over PostgreSQL", stop: () => watch.stop() });
  return postgres.url;
}

/** Starts the simulator, with these numbers at its Twilio, and points the gateway at that. */
async function startSimulator(env: Environment, numbers: string[]): Promise<Simulator> {
  const { startSimulator: listen } = await import("@jobrun/simulator");
  const address = new URL(env["SIMULATOR_URL"] ?? "");
  const authToken = env["TWILIO_AUTH_TOKEN"];
  const phoneNumberId = env["WHATSAPP_PHONE_NUMBER_ID"];
  const appSecret = env["WHATSAPP_APP_SECRET"]?.split(",")[0]?.trim();
  const simulator = await listen({
    port: Number(address.port),
    numbers,
    ...(authToken ? { authToken } : {}),
    // Customers may also be played by curl, which the simulator does not see.
    whatsApp: {
      windowsStayOpen: true,
      ...(phoneNumberId ? { phoneNumberId } : {}),
      ...(appSecret ? { appSecret } : {}),
    },
  });
  running.push({ name: "simulator", stop: () => simulator.close() });
  const show = ({ from, to, body }: { from: string; to: string; body: string }) =>
    say(`\n  ✉  ${from} → ${to}\n     ${body.replaceAll("\n", "\n     ")}\n`);
  simulator.onSent(show);
  simulator.whatsApp.onSent((message) => show({ ...message, from: "WhatsApp" }));
  env["TWILIO_ACCOUNT_SID"] = simulator.accountSid;
  env["TWILIO_AUTH_TOKEN"] = simulator.authToken;
  env["TWILIO_API_BASE_URL"] = simulator.twilioUrl;
  env["TWILIO_PHONE_NUMBER"] ||= demoTenant.phoneNumber;
  env["SIMULATOR_URL"] = simulator.url;
  return simulator;
}

function both(given: string | undefined, simulated: string): string {
  const all = (given ?? "").split(",").filter((secret) => secret !== "");
  return [...new Set([...all, simulated])].join(",");
}

/**
 * Points the gateway at the simulator's WhatsApp.
 *
 * @returns what tells it where the gateway listens
 */
function useSimulatedWhatsApp(env: Environment, { whatsApp }: Simulator) {
  env["WHATSAPP_API_URL"] = whatsApp.apiUrl;
  env["WHATSAPP_ACCESS_TOKEN"] = whatsApp.accessToken;
  env["WHATSAPP_PHONE_NUMBER_ID"] = whatsApp.phoneNumberId;
  // Yours come first: the simulator's are added to them.
  env["WHATSAPP_APP_SECRET"] = both(env["WHATSAPP_APP_SECRET"], whatsApp.appSecret);
  env["WHATSAPP_VERIFY_TOKEN"] = both(env["WHATSAPP_VERIFY_TOKEN"], whatsApp.verifyToken);
  return (gatewayUrl: string) =>
    whatsApp
      .setWebhook(`${gatewayUrl}/api/v1/whatsapp/webhook`)
      .catch((error: unknown) => say(`  WhatsApp reports nothing: ${explain(error)}`));
}

/** Points the simulator's numbers at the gateway, as `pnpm provision` does with those at Twilio. */
async function provisionDemo(env: Environment): Promise<void> {
  const { createDatabase } = await import("@jobrun/db");
  const { twilioNumbers } = await import("@jobrun/messaging");
  const { provisionNumbers } = await import("../apps/backend/src/numbers/provision.ts");
  const numbers = twilioNumbers({
    accountSid: env["TWILIO_ACCOUNT_SID"] ?? "",
    authTokens: [env["TWILIO_AUTH_TOKEN"] ?? ""],
    apiBaseUrl: env["TWILIO_API_BASE_URL"] ?? "",
  });
  const db = createDatabase({
    url: env["DATABASE_URL"] ?? "",
    poolSize: 2,
    queryTimeoutMs: PROVISION_LIMIT_MS,
    transactionTimeoutMs: PROVISION_LIMIT_MS,
    onQueryTimeout: () => {},
  });
  env["PUBLIC_BASE_URL"] ||= `http://localhost:${env["PORT"] || "3001"}`;
  try {
    const limit = AbortSignal.timeout(PROVISION_LIMIT_MS);
    await provisionNumbers(db, numbers, env["PUBLIC_BASE_URL"], limit);
  } finally {
    await db.close();
  }
}

async function stopAll(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
  for (const { name, stop } of running.toReversed()) {
    await stop().catch((error: unknown) => say(`  The ${name} did not stop: ${explain(error)}`));
  }
  process.exit(code);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && error.code === "EADDRINUSE" && "port" in error) {
    return `port ${String(error.port)} is in use, perhaps by another JobRun. Stop that one. Or start a second one, which shares its database and ends with it:\n\n  PORT=3011 SIMULATOR_URL=http://127.0.0.1:3012 npm start`;
  }
  if (error instanceof ConfigError)
    return `${error.message}\n\n  To do: correct this in .env or in the environment; .env.example says what each one is.`;
  return error.message;
}
