import { createDatabase, type Database } from "@jobrun/db";
import { createTestDatabase } from "@jobrun/db/testing";

export interface OpenTestDatabase {
  url: string;
  db: Database;
  /** Opens another pool, on this database or elsewhere. The caller closes it. */
  open(url?: string): Database;
  /** Deletes what tests write outside tenants' own tables, and all messages. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** A database of its own for a test file that needs no gateway around it. */
export async function openTestDatabase(): Promise<OpenTestDatabase> {
  const test = await createTestDatabase();
  const open = (url = test.url) =>
    createDatabase({
      url,
      poolSize: 4,
      queryTimeoutMs: 2_000,
      transactionTimeoutMs: 5_000,
      onQueryTimeout: () => {},
    });
  const db = open();
  return {
    url: test.url,
    db,
    open,
    clear: async () => {
      await db.service.alert.deleteMany();
      await db.service.message.deleteMany();
      await db.service.unroutedMessage.deleteMany();
      await db.service.pendingReceipt.deleteMany();
    },
    close: async () => {
      await db.close();
      await test.drop();
    },
  };
}
