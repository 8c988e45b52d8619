import { Writable } from "node:stream";
import { createLogger } from "../src/telemetry/logger.ts";
import { TimerService } from "../src/timers/timer-service.ts";

/** A process whose handlers never end: it says which timer fires and waits to be killed. */
const hang = async (data: object) => {
  process.stdout.write(`${JSON.stringify(data)}\n`);
  await new Promise(() => {});
};

const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
new TimerService({
  databaseUrl: process.env["DATABASE_URL"] ?? "",
  logger: createLogger({ level: "error", pretty: false, stream }),
}).start({
  urgent_job_second_text: hang,
  urgent_job_founder: hang,
  onboarding_reminder: hang,
  onboarding_founder: hang,
  retention: hang,
});
