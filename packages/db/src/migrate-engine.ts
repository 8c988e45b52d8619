import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PrismaPg } from "@prisma/adapter-pg";
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type SqlMigrationAwareDriverAdapterFactory,
} from "@prisma/driver-adapter-utils";
import * as bindings from "@prisma/schema-engine-wasm/schema_engine_bg";
import pg from "pg";

/**
 * Runs `work` with Prisma's schema engine, the one behind `prisma migrate`, in its WebAssembly form:
 * it needs no native program to be downloaded.
 *
 * @throws Error with the engine's explanation.
 */
export async function withSchemaEngine<T>(
  databaseUrl: string,
  schema: { path: string; content: string }[],
  work: (engine: bindings.SchemaEngine) => Promise<T>,
): Promise<T> {
  await loadBindings();
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  pool.on("error", () => {}); // an idle connection that breaks fails the next statement, which reports it
  try {
    const engine = await bindings.SchemaEngine.new(
      { datamodels: schema.map(({ path, content }): [string, string] => [path, content]) },
      () => {},
      bindMigrationAwareSqlAdapterFactory(adapterFor(pool)),
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
 * Prisma's adapter with two gaps closed that the native engine's own driver does not have:
 * it cuts a script at every semicolon, also inside functions and comments (sent whole, a script is one
 * implicit transaction, as with `prisma migrate deploy`), and it cannot read the type "char".
 */
function adapterFor(pool: pg.Pool): SqlMigrationAwareDriverAdapterFactory {
  const factory = new PrismaPg(pool);
  const charColumns = charAsText(pool);
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.executeScript = async (script) => {
      await pool.query(script);
    };
    adapter.queryRaw = async (query) => {
      const result = await queryRaw(query);
      const columnTypes = result.columnTypes.map((type, column) =>
        charColumns.has(result.columnNames[column] ?? "") ? ColumnTypeEnum.Character : type,
      );
      return { ...result, columnTypes };
    };
    return adapter;
  };
  return factory;
}

// https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat
const CHAR_OID = 18;
const TEXT_OID = 25;

/** Makes the pool say "text" where the server says "char". Returns the names of the columns it did that to. */
function charAsText(pool: pg.Pool): Set<string> {
  const columns = new Set<string>();
  const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<pg.QueryResult>;
  const wrapped = async (...args: unknown[]) => {
    const result = await query(...args);
    for (const field of result.fields ?? []) {
      if (field.dataTypeID !== CHAR_OID) continue;
      field.dataTypeID = TEXT_OID;
      columns.add(field.name);
    }
    return result;
  };
  pool.query = wrapped as unknown as typeof pool.query;
  return columns;
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
    const imports = Object.fromEntries(
      Object.entries(bindings).map(([name, value]) =>
        name.startsWith("__wbg_setTimeout_") ? [name, quietTimeout] : [name, value],
      ),
    );
    const { instance } = await wasm.instantiate(program, { "./schema_engine_bg.js": imports });
    bindings.__wbg_set_wasm(instance.exports);
    instance.exports.__wbindgen_start();
  })();
  return loaded;
}

/** The engine never cancels the 10 s limit on its lock: it must not keep the process alive. */
function quietTimeout(callback: () => void, milliseconds: number): NodeJS.Timeout {
  return setTimeout(callback, milliseconds).unref();
}
