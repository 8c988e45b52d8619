import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withSchemaEngine } from "./migrate-engine.ts";
import { migrateTimers } from "./migrate-timers.ts";

export { demoNumbers, demoTenant, seed, seedDemoNumbers } from "./migrate-seed.ts";

const PRISMA_FOLDER = fileURLToPath(new URL("../../../prisma", import.meta.url));
const NO_FILTERS = { externalTables: [], externalEnums: [] };

/**
 * Applies the migrations of prisma/migrations that the database does not have yet, and leaves
 * `_prisma_migrations` as `prisma migrate deploy` would; then those of the timers, which pg-boss
 * brings along. Downloads nothing.
 *
 * @returns the names of the migrations applied now.
 * @throws Error when one fails; a failed migration is recorded and must be resolved before the next try.
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const applied = await withSchemaEngine(databaseUrl, schemaFiles(), async (engine) => {
    const migrationsList = readMigrations(join(PRISMA_FOLDER, "migrations"));
    const result = await engine.applyMigrations({ migrationsList, filters: NO_FILTERS });
    return result.appliedMigrationNames;
  });
  await migrateTimers(databaseUrl);
  return applied;
}

/**
 * Compares a migrated database with prisma/schema.prisma. Row-level security, check constraints and
 * partial indexes have no words in that file and are not compared.
 *
 * @returns null when they agree, else the SQL that would make the database follow the schema.
 */
export async function checkDrift(databaseUrl: string): Promise<string | null> {
  const files = schemaFiles();
  return withSchemaEngine(databaseUrl, files, async (engine) => {
    const result = await engine.diff({
      from: { tag: "schemaDatasource", files, configDir: PRISMA_FOLDER },
      to: { tag: "schemaDatamodel", files },
      script: true,
      exitCode: true,
      filters: NO_FILTERS,
    });
    return result.exitCode === 0 ? null : (result.stdout ?? "unknown difference");
  });
}

function schemaFiles() {
  const path = join(PRISMA_FOLDER, "schema.prisma");
  return [{ path, content: readFileSync(path, "utf8") }];
}

function readMigrations(baseDir: string) {
  const names = readdirSync(baseDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
  return {
    baseDir,
    lockfile: { path: "migration_lock.toml", content: 'provider = "postgresql"\n' },
    shadowDbInitScript: "",
    migrationDirectories: names.map((path) => ({
      path,
      migrationFile: {
        path: "migration.sql",
        content: {
          tag: "ok" as const,
          value: readFileSync(join(baseDir, path, "migration.sql"), "utf8"),
        },
      },
    })),
  };
}
