import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PrismaPg } from "@prisma/adapter-pg";
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from "@prisma/driver-adapter-utils";
import * as bindings from "@prisma/schema-engine-wasm/schema_engine_bg";
import pg from "pg";

type SchemaEngine = bindings.SchemaEngine;

/**
 * Runs `work` with Prisma's schema engine, the one behind `prisma migrate`, in its WebAssembly form:
 * it needs no native program to be downloaded.
 *
 * @throws Error with the engine's explanation.
 */
export async function withSchemaEngine<T>(
  databaseUrl: string,
  schema: { path: string; content: string }[],
  work: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  await loadBindings();
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2, idleTimeoutMillis: 0 });
  pool.on("error", () => {}); // an idle connection that breaks fails the next statement, which reports it
  try {
    const engine = await bindings.SchemaEngine.new(
      { datamodels: schema.map(({ path, content }): [string, string] => [path, content]) },
      () => {},
      bindMigrationAwareSqlAdapterFactory(completed(new PrismaPg(pool), pool)),
    );
    try {
      return await work(engine);
    } finally {
      engine.free();
    }
  } finally {
    await pool.end();
  }
}

/**
 * Two gaps of Prisma's adapter, next to the native engine's own driver:
 * it cuts a script at every semicolon, also inside functions and comments (sent whole, a script is one
 * implicit transaction, as with `prisma migrate deploy`), and it cannot read the type "char".
 */
function completed(factory: PrismaPg, pool: pg.Pool): PrismaPg {
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.executeScript = async (script) => {
      await pool.query(script);
    };
    adapter.queryRaw = async (query) => {
      const sql = query.sql.replace("constr.contype AS", "constr.contype::text AS");
      const result = await queryRaw({ ...query, sql });
      const columnTypes = result.columnTypes.map((type, column) =>
        result.columnNames[column] === "constraint_type" ? ColumnTypeEnum.Character : type,
      );
      return { ...result, columnTypes };
    };
    return adapter;
  };
  return factory;
}

/** The part of the global `WebAssembly` used here: its types belong to the browser's library. */
interface WebAssemblyLoader {
  instantiate(
    program: Uint8Array,
    imports: Record<string, object>,
  ): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>;
}
const { WebAssembly: wasm } = globalThis as unknown as { WebAssembly: WebAssemblyLoader };

let loaded: Promise<void> | undefined;

/** The package's own entry needs WebAssembly module imports, which Node.js 22 lacks. */
function loadBindings(): Promise<void> {
  loaded ??= (async () => {
    const entry = createRequire(import.meta.url).resolve(
      "@prisma/schema-engine-wasm/schema_engine_bg",
    );
    const program = await readFile(join(dirname(entry), "schema_engine_bg.wasm"));
    const { instance } = await wasm.instantiate(program, { "./schema_engine_bg.js": bindings });
    bindings.__wbg_set_wasm(instance.exports);
    instance.exports.__wbindgen_start();
  })();
  return loaded;
}
