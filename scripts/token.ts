import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { issueToken, type Principal } from "../apps/backend/src/admin/token.ts";
import { loadEnvironmentFile, say } from "./terminal.ts";

/** `pnpm token`: prints a token for the admin API. The token goes to the output, the help to the error stream. */
const usage = `usage: pnpm token --role super-admin
       pnpm token --role admin --tenant <id>`;

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const SECRET_CHARACTERS = 32;

loadEnvironmentFile();
process.exitCode = await run(readPrincipal());

async function run(principal: Principal | null): Promise<number> {
  if (principal === null) return refuse(usage);
  const secret = process.env["JWT_SECRET"] ?? "";
  if (secret.length < SECRET_CHARACTERS)
    return refuse(
      `JWT_SECRET is ${secret === "" ? "not set" : "too short"}. Put this line into .env, restart the gateway, and ask again:\n` +
        `JWT_SECRET=${randomBytes(SECRET_CHARACTERS).toString("hex")}`,
    );
  const expiresIn = process.env["JWT_EXPIRES_IN"] || "7d";
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

/** @returns null when nobody can know what was meant */
function readPrincipal(): Principal | null {
  const sub = "pnpm token";
  try {
    const { role, tenant } = parseArgs({
      options: { role: { type: "string" }, tenant: { type: "string" } },
    }).values;
    if (role === "super-admin" && tenant === undefined) return { sub, role };
    if (role === "admin" && tenant !== undefined && ID.test(tenant))
      return { sub, role, tenantId: tenant.toLowerCase() };
    return null;
  } catch {
    return null;
  }
}
