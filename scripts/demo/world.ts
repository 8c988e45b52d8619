import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { runGateway } from "@jobrun/backend";
import { startEmbeddedPostgres } from "@jobrun/db/embedded";
import { demoTenant, migrate, seed } from "@jobrun/db/migrate";
import { startSimulator, type Simulator } from "@jobrun/simulator";
import { expectedWebhooks } from "../../apps/backend/src/numbers/provision.ts";
import { freePort } from "../bench/processes.ts";

export interface DemoWorld {
  simulator: Simulator;
  /** `http://127.0.0.1:…` of the gateway. */
  gatewayUrl: string;
  /** Warnings and errors the gateway logged so far, the newest last. */
  complaints(): string[];
}

/** Kept for whoever has to see why the story went wrong. */
const COMPLAINTS_KEPT = 5;

/** Undone in reverse by `stopWorld`. */
const running: (() => Promise<unknown>)[] = [];

/**
 * Starts a gateway nobody has used before: a database in a temporary folder, the simulator in the provider's place and
 * the scripted assistant, all on free ports. Nothing leaves this machine, and `stopWorld` leaves nothing behind.
 *
 * @param founderPhone where alerts would go, E.164
 * @param log told of each step that takes time
 */
export async function startWorld(
  founderPhone: string,
  log: (line: string) => void,
): Promise<DemoWorld> {
  const folder = await mkdtemp(join(tmpdir(), "jobrun-demo-"));
  running.push(() => rm(folder, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({ dataDir: folder, temporary: true, log });
  running.push(() => postgres.stop());
  await migrate(postgres.url);
  await seed(postgres.url);

  const simulator = await startSimulator();
  running.push(() => simulator.close());
  // Known before the gateway listens: its webhooks are signed over the address it is told.
  const port = await freePort();
  const gatewayUrl = `http://127.0.0.1:${port}`;
  simulator.addNumber(demoTenant.phoneNumber, expectedWebhooks(gatewayUrl));

  const gatewayLog = keepComplaints();
  const gateway = await runGateway(
    {
      HOST: "127.0.0.1",
      PORT: String(port),
      PUBLIC_BASE_URL: gatewayUrl,
      DATABASE_URL: postgres.url,
      TWILIO_ACCOUNT_SID: simulator.accountSid,
      TWILIO_AUTH_TOKEN: simulator.authToken,
      TWILIO_API_BASE_URL: simulator.twilioUrl,
      TWILIO_PHONE_NUMBER: demoTenant.phoneNumber,
      FOUNDER_ALERT_PHONE: founderPhone,
    },
    { logStream: gatewayLog.stream },
  );
  running.push(() => gateway.stop());
  return { simulator, gatewayUrl, complaints: gatewayLog.complaints };
}

/** Stops what has been started, in reverse; what fails to stop does not keep the rest from it. */
export async function stopWorld(): Promise<void> {
  for (const stop of running.splice(0).toReversed()) await stop().catch(() => undefined);
}

/** A log that forgets all but the last complaints. */
function keepComplaints(): { stream: Writable; complaints: () => string[] } {
  const kept: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().split("\n")) {
        if (/"level":"(warn|error)"/.test(line)) kept.push(line);
      }
      kept.splice(0, kept.length - COMPLAINTS_KEPT);
      done();
    },
  });
  return { stream, complaints: () => [...kept] };
}
