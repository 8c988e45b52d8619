import { demoNumbers, demoTenant } from "@jobrun/db/migrate";
import { SIMULATOR_URL, type Environment } from "./settings.ts";

const GATEWAY_URL = "http://localhost:3001";

/** What reaches others when it is set, simulator or not. */
const OUTSIDE: [key: string, name: string][] = [
  ["OPENAI_API_KEY", "OpenAI"],
  ["ALERT_WEBHOOK_URL", "alerts"],
  ["PAGERDUTY_ROUTING_KEY", "PagerDuty"],
];

/**
 * What the terminal shows once everything runs on the simulator.
 *
 * @param gatewayUrl where the gateway listens
 * @param ownDatabase the address of the embedded PostgreSQL, null when it is another
 * @param env the settings the gateway was started with
 */
export function demoText(gatewayUrl: string, ownDatabase: string | null, env: Environment): string {
  const usual = gatewayUrl === GATEWAY_URL && env["SIMULATOR_URL"] === SIMULATOR_URL;
  const addresses = `SIMULATOR_URL=${env["SIMULATOR_URL"]} PUBLIC_BASE_URL=${gatewayUrl} `;
  const simulate = `${usual ? "" : addresses}npm run simulate --`;
  const hasWhatsApp = env["WHATSAPP_API_URL"] === env["SIMULATOR_URL"];
  const real = [
    ...(hasWhatsApp ? [] : ["WhatsApp"]),
    ...OUTSIDE.filter(([key]) => env[key]).map(([, name]) => name),
  ];
  const standsIn = `stands in for ${hasWhatsApp ? "Twilio and WhatsApp" : "Twilio"}`;
  return `
  JobRun answers texts to ${demoTenant.name}.

  Gateway    ${gatewayUrl}/health
  Simulator  ${env["SIMULATOR_URL"]} (${standsIn}${real.length === 0 ? ": nothing leaves this machine" : ""})${
    real.length === 0
      ? ""
      : `\n  Real       ${real.join(", ")}: what goes there leaves this machine`
  }
  Assistant  ${env["OPENAI_API_KEY"] ? "OpenAI" : "scripted"}
  Business   ${demoTenant.phoneNumber}
  Operator   ${demoTenant.operatorPhone}
  Sign-up    ${demoNumbers.signUp}
  Database   ${ownDatabase ?? "the one of DATABASE_URL"}

  Text the business from another terminal:

  curl -i ${gatewayUrl}/sms --data-urlencode "From=+447123456789" --data-urlencode "To=${demoTenant.phoneNumber}" --data-urlencode "Body=I need a plumber today" --data-urlencode "MessageSid=SM$(date +%s%N)"

  Every text the gateway sends appears here after ✉. The same with a signed webhook, on WhatsApp, as the owner, and to sign up:

  ${simulate} "I need a plumber today"
  ${simulate} "I need a plumber today" --channel whatsapp
  ${simulate} --from ${demoTenant.operatorPhone} "JOBS"
  ${simulate} --from +447700900321 --to ${demoNumbers.signUp} "Hello"

  Ctrl-C stops everything.
`;
}
