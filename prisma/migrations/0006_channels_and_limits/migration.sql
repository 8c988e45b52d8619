-- The provider's id of a message, whoever the provider is. The two names of the interface are views of it.

ALTER TABLE "Message" DROP COLUMN "waMessageId";
ALTER TABLE "Message" RENAME COLUMN "twilioSid" TO "providerMessageId";
ALTER INDEX "Message_twilioSid_key" RENAME TO "Message_providerMessageId_key";
ALTER TABLE "Message"
  ADD COLUMN "twilioSid" TEXT GENERATED ALWAYS AS (CASE WHEN "channel" = 'sms' THEN "providerMessageId" END) STORED,
  ADD COLUMN "waMessageId" TEXT GENERATED ALWAYS AS (CASE WHEN "channel" = 'whatsapp' THEN "providerMessageId" END) STORED,
  ADD COLUMN "type" TEXT NOT NULL DEFAULT 'text',
  ADD COLUMN "payload" JSONB;
CREATE UNIQUE INDEX "Message_twilioSid_key" ON "Message" ("twilioSid") WHERE "twilioSid" IS NOT NULL;
CREATE UNIQUE INDEX "Message_waMessageId_key" ON "Message" ("waMessageId") WHERE "waMessageId" IS NOT NULL;

ALTER TABLE "UnroutedMessage" RENAME COLUMN "twilioSid" TO "providerMessageId";
ALTER INDEX "UnroutedMessage_twilioSid_key" RENAME TO "UnroutedMessage_providerMessageId_key";
ALTER TABLE "UnroutedMessage" ADD COLUMN "payload" JSONB;

-- Outbound: outside the window in which it may go, until the customer writes again
ALTER TYPE "MessageStatus" ADD VALUE 'HELD';

-- A customer may be known by a phone number, by the provider's id of them, or by both

ALTER TABLE "Customer" ALTER COLUMN "phone" DROP NOT NULL,
  ADD COLUMN "userId" TEXT,
  ADD COLUMN "marketingOptedOutAt" TIMESTAMPTZ(3),
  ADD CONSTRAINT "Customer_has_address" CHECK ("phone" IS NOT NULL OR "userId" IS NOT NULL);
CREATE UNIQUE INDEX "Customer_clientId_userId_key" ON "Customer" ("clientId", "userId");

CREATE INDEX "Customer_opted_out_of_campaigns" ON "Customer" ("marketingOptedOutAt") WHERE "marketingOptedOutAt" IS NOT NULL;

ALTER TABLE "Conversation"
  ADD COLUMN "lastInboundAt" TIMESTAMPTZ(3),
  ADD COLUMN "quotaBlocked" BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN "quotaPeriod" TEXT,
  ADD COLUMN "quotaTerms" TEXT,
  ADD COLUMN "quotaToldOn" TEXT;

ALTER TABLE "Client" ADD COLUMN "reengagementTemplate" JSONB;

-- Receipts of a group come once per participant

ALTER TABLE "PendingReceipt" ADD COLUMN "participant" TEXT NOT NULL DEFAULT '', ADD COLUMN "optOut" TEXT;
DROP INDEX "PendingReceipt_providerMessageId_status_key";
CREATE UNIQUE INDEX "PendingReceipt_providerMessageId_status_participant_key"
  ON "PendingReceipt" ("providerMessageId", "status", "participant");

-- A stop may hold back one kind of text only; empty: every kind

ALTER TABLE "ChannelStop" ADD COLUMN "kind" TEXT NOT NULL DEFAULT '';
ALTER TABLE "ChannelStop" DROP CONSTRAINT "ChannelStop_pkey",
  ADD CONSTRAINT "ChannelStop_pkey" PRIMARY KEY ("channel", "sender", "recipientPrefix", "kind");

-- CreateTable
CREATE TABLE "ChannelNumber" (
    "channel" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "phoneNumber" TEXT NOT NULL,
    "clientId" UUID NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ChannelNumber_pkey" PRIMARY KEY ("channel","address")
);

-- CreateTable
CREATE TABLE "Usage" (
    "clientId" UUID NOT NULL,
    "period" TEXT NOT NULL,
    "messages" INTEGER NOT NULL DEFAULT 0,
    "tokens" BIGINT NOT NULL DEFAULT 0,
    "day" TEXT NOT NULL,
    "dayTokens" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "Usage_pkey" PRIMARY KEY ("clientId","period")
);

-- CreateTable
CREATE TABLE "MediaFile" (
    "id" UUID NOT NULL,
    "clientId" UUID NOT NULL,
    "messageId" UUID NOT NULL,
    "channel" TEXT NOT NULL,
    "reference" TEXT NOT NULL,
    "contentType" TEXT NOT NULL,
    "content" BYTEA,
    "state" TEXT NOT NULL DEFAULT 'PENDING',
    "error" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "dueAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "MediaFile_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ProviderNotice" (
    "id" UUID NOT NULL,
    "provider" TEXT NOT NULL,
    "accountId" TEXT NOT NULL,
    "field" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "digest" TEXT NOT NULL,
    "receivedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ProviderNotice_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "ChannelNumber_clientId_idx" ON "ChannelNumber"("clientId");
CREATE INDEX "MediaFile_messageId_idx" ON "MediaFile"("messageId");
CREATE INDEX "MediaFile_clientId_idx" ON "MediaFile"("clientId");
CREATE INDEX "MediaFile_pending" ON "MediaFile" ("dueAt") WHERE "state" = 'PENDING';
CREATE UNIQUE INDEX "ProviderNotice_digest_key" ON "ProviderNotice"("digest");
CREATE INDEX "ProviderNotice_receivedAt_idx" ON "ProviderNotice"("receivedAt");
ALTER TABLE "ChannelNumber" ADD CONSTRAINT "ChannelNumber_clientId_fkey" FOREIGN KEY ("clientId") REFERENCES "Client"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "Usage" ADD CONSTRAINT "Usage_clientId_fkey" FOREIGN KEY ("clientId") REFERENCES "Client"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "MediaFile" ADD CONSTRAINT "MediaFile_messageId_fkey" FOREIGN KEY ("messageId") REFERENCES "Message"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Row-level security, as for every table of tenants

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['ChannelNumber', 'Usage', 'MediaFile'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant_rows ON %I TO gateway_tenant USING ("clientId" = app_tenant_id()) WITH CHECK ("clientId" = app_tenant_id())', name);
    EXECUTE format('CREATE POLICY service_rows ON %I TO gateway_service USING (true) WITH CHECK (true)', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO gateway_tenant, gateway_service', name);
  END LOOP;
END $$;
GRANT SELECT, INSERT, DELETE ON "ProviderNotice" TO gateway_service;
