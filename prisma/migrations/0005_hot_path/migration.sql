-- Row-level security puts the tenant's key into every condition. While a table has no statistics the
-- planner may take an index that begins with it and read all texts of the tenant instead of the one
-- asked for. So none that holds all texts does: nothing on the hot path looks for all of a tenant.
DROP INDEX "Message_clientId_idx";
DROP INDEX "Message_clientId_clientMessageId_key";
CREATE UNIQUE INDEX "Message_clientId_clientMessageId_key" ON "Message" ("clientId", "clientMessageId")
  WHERE "clientMessageId" IS NOT NULL;
