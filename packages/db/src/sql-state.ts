/**
 * The SQLSTATE behind an error thrown by Prisma, if PostgreSQL gave one.
 *
 * Prisma wraps driver errors: the code of PostgreSQL hangs some causes down, as `originalCode`.
 *
 * @returns five characters such as "57014" (query cancelled), or null.
 */
export function sqlState(error: unknown): string | null {
  let current: unknown = error;
  for (let depth = 0; depth < 6 && isRecord(current); depth += 1) {
    if (typeof current["originalCode"] === "string") return current["originalCode"];
    const meta = isRecord(current["meta"]) ? current["meta"] : null;
    current = current["cause"] ?? meta?.["driverAdapterError"];
  }
  return null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
