-- Tables as schema.prisma describes them

-- AlterTable
ALTER TABLE "Client" ADD COLUMN     "limits" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "plan" TEXT NOT NULL DEFAULT 'starter';

-- AlterTable
ALTER TABLE "Message" ADD COLUMN     "clientMessageId" TEXT;

-- CreateTable
CREATE TABLE "AuditEntry" (
    "id" UUID NOT NULL,
    "clientId" UUID,
    "actor" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "changes" JSONB NOT NULL DEFAULT '{}',
    "requestId" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "AuditEntry_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "Message_clientId_clientMessageId_key" ON "Message"("clientId", "clientMessageId");

-- CreateIndex
CREATE INDEX "AuditEntry_clientId_createdAt_idx" ON "AuditEntry"("clientId", "createdAt");

-- Row-level security, as for every table of tenants. An entry outlives its tenant, so no foreign key.

ALTER TABLE "AuditEntry" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "AuditEntry" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON "AuditEntry" TO gateway_tenant USING ("clientId" = app_tenant_id()) WITH CHECK ("clientId" = app_tenant_id());
CREATE POLICY service_rows ON "AuditEntry" TO gateway_service USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON "AuditEntry" TO gateway_tenant, gateway_service;
