import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { issueToken, type Principal } from "../apps/backend/src/admin/token.ts";
import { ConfigError, readKey } from "../apps/backend/src/config.ts";
import { loadEnvironmentFile, readArguments, say } from "./terminal.ts";

/** `pnpm token`: prints a token for the admin API. The token goes to the output, the help to the error stream. */
const usage = `usage: pnpm token --role super-admin
       pnpm token --role admin --tenant <id>`;

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const SECRET_CHARACTERS = 32;

const asked = readArguments(usage, readPrincipal);
loadEnvironmentFile();
try {
  process.exitCode = await run(asked);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.exitCode = refuse(error.message);
}

async function run(principal: Principal): Promise<number> {
  const secret = process.env["JWT_SECRET"] ?? "";
  if (secret.length < SECRET_CHARACTERS)
    return refuse(
      `JWT_SECRET is ${secret === "" ? "not set" : "too short"}. Put this line into .env, restart the gateway, and ask again:\n` +
        `JWT_SECRET=${randomBytes(SECRET_CHARACTERS).toString("hex")}`,
    );
  const expiresIn = readKey(process.env, "JWT_EXPIRES_IN");
  const token = await issueToken(secret, principal, expiresIn);
  const port = process.env["PORT"] || "3001";
  const url = process.env["PUBLIC_BASE_URL"] || `http://localhost:${port}`;
  const path = principal.role === "admin" ? `/tenants/${principal.tenantId}` : "/tenants";
  process.stderr.write(
    `\nA token of the role ${principal.role}, valid for ${expiresIn}. Use it like this:\n` +
      `  curl -H "Authorization: Bearer <token>" ${url.replace(/\/$/, "")}/api/v1${path}\n` +
      `What else there is: ${url.replace(/\/$/, "")}/api/v1/docs\n\n`,
  );
  say(token);
  return 0;
}

function refuse(text: string): number {
  process.stderr.write(`${text}\n`);
  return 1;
}

/** @throws Error that says what is wrong with the arguments */
function readPrincipal(): Principal {
  const sub = "pnpm token";
  const { role, tenant } = parseArgs({
    options: { role: { type: "string" }, tenant: { type: "string" } },
  }).values;
  if (role === "super-admin") {
    if (tenant !== undefined)
      throw new Error("--tenant is for --role admin: a super-admin has all");
    return { sub, role };
  }
  if (role !== "admin")
    throw new Error(
      role === undefined ? "--role is missing" : "--role must be super-admin or admin",
    );
  if (tenant === undefined) throw new Error("--role admin needs --tenant <id>");
  if (!ID.test(tenant)) throw new Error("--tenant must be the id of a tenant, a UUID");
  return { sub, role, tenantId: tenant.toLowerCase() };
}
