-- Tables as schema.prisma describes them

-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "NumberRole" AS ENUM ('OPERATIONAL', 'ONBOARDING', 'SYSTEM');

-- CreateEnum
CREATE TYPE "ConversationMode" AS ENUM ('OPERATIONAL', 'ONBOARDING');

-- CreateEnum
CREATE TYPE "MessageDirection" AS ENUM ('INBOUND', 'OUTBOUND');

-- CreateEnum
CREATE TYPE "MessageStatus" AS ENUM ('RECEIVED', 'DEFERRED', 'QUEUED', 'SENDING', 'SENT', 'DELIVERED', 'READ', 'FAILED', 'UNKNOWN', 'DEAD');

-- CreateEnum
CREATE TYPE "JobStatus" AS ENUM ('NEW', 'NEEDS_INFO', 'READY', 'URGENT', 'ACCEPTED', 'DECLINED', 'DONE');

-- CreateEnum
CREATE TYPE "AlertState" AS ENUM ('OPEN', 'ACKNOWLEDGED', 'RESOLVED');

-- CreateTable
CREATE TABLE "Client" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "operatorPhone" TEXT NOT NULL,
    "locale" TEXT NOT NULL DEFAULT 'en',
    "timeZone" TEXT NOT NULL DEFAULT 'Europe/London',
    "region" TEXT NOT NULL DEFAULT 'GB',
    "outboundPaused" BOOLEAN NOT NULL DEFAULT false,
    "aiDisabled" BOOLEAN NOT NULL DEFAULT false,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Client_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "TwilioNumberPool" (
    "phoneNumber" TEXT NOT NULL,
    "role" "NumberRole" NOT NULL DEFAULT 'SYSTEM',
    "clientId" UUID,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "TwilioNumberPool_pkey" PRIMARY KEY ("phoneNumber")
);

-- CreateTable
CREATE TABLE "Customer" (
    "id" UUID NOT NULL,
    "clientId" UUID NOT NULL,
    "phone" TEXT NOT NULL,
    "optedOutAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Customer_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Conversation" (
    "id" UUID NOT NULL,
    "clientId" UUID NOT NULL,
    "customerId" UUID NOT NULL,
    "channel" TEXT NOT NULL,
    "mode" "ConversationMode" NOT NULL DEFAULT 'OPERATIONAL',
    "revision" INTEGER NOT NULL DEFAULT 1,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Conversation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Message" (
    "id" UUID NOT NULL,
    "position" BIGSERIAL NOT NULL,
    "clientId" UUID,
    "conversationId" UUID,
    "direction" "MessageDirection" NOT NULL,
    "channel" TEXT NOT NULL,
    "kind" TEXT NOT NULL DEFAULT 'reply',
    "sender" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "media" JSONB NOT NULL DEFAULT '[]',
    "segments" INTEGER NOT NULL DEFAULT 1,
    "status" "MessageStatus" NOT NULL,
    "requestId" TEXT,
    "twilioSid" TEXT,
    "waMessageId" TEXT,
    "errorCode" TEXT,
    "operatorToldAt" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "dueAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "leasedUntil" TIMESTAMPTZ(3),
    "sentAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Message_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Job" (
    "id" UUID NOT NULL,
    "clientId" UUID NOT NULL,
    "conversationId" UUID NOT NULL,
    "summary" TEXT NOT NULL,
    "type" TEXT,
    "location" TEXT,
    "requestedTime" TEXT,
    "customerName" TEXT,
    "urgency" TEXT NOT NULL DEFAULT 'unknown',
    "status" "JobStatus" NOT NULL DEFAULT 'NEW',
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Job_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "OnboardingState" (
    "id" UUID NOT NULL,
    "clientId" UUID,
    "phone" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "answers" JSONB NOT NULL DEFAULT '{}',
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "OnboardingState_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "UnroutedMessage" (
    "id" UUID NOT NULL,
    "twilioSid" TEXT NOT NULL,
    "sender" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "answered" BOOLEAN NOT NULL DEFAULT false,
    "receivedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "UnroutedMessage_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Alert" (
    "id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "state" "AlertState" NOT NULL DEFAULT 'OPEN',
    "summary" TEXT NOT NULL,
    "occurrences" INTEGER NOT NULL DEFAULT 1,
    "raisedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastSeenAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "resolvedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Alert_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "AlertDelivery" (
    "id" UUID NOT NULL,
    "alertId" UUID NOT NULL,
    "channel" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "error" TEXT,
    "messageId" UUID,
    "attemptedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "AlertDelivery_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "TwilioNumberPool_clientId_idx" ON "TwilioNumberPool"("clientId");

-- CreateIndex
CREATE UNIQUE INDEX "Customer_clientId_phone_key" ON "Customer"("clientId", "phone");

-- CreateIndex
CREATE UNIQUE INDEX "Conversation_clientId_customerId_channel_key" ON "Conversation"("clientId", "customerId", "channel");

-- CreateIndex
CREATE UNIQUE INDEX "Message_twilioSid_key" ON "Message"("twilioSid");

-- CreateIndex
CREATE UNIQUE INDEX "Message_waMessageId_key" ON "Message"("waMessageId");

-- CreateIndex
CREATE INDEX "Message_conversationId_position_idx" ON "Message"("conversationId", "position");

-- CreateIndex
CREATE INDEX "Message_clientId_idx" ON "Message"("clientId");

-- CreateIndex
CREATE INDEX "Job_clientId_idx" ON "Job"("clientId");

-- CreateIndex
CREATE INDEX "Job_conversationId_idx" ON "Job"("conversationId");

-- CreateIndex
CREATE UNIQUE INDEX "OnboardingState_phone_key" ON "OnboardingState"("phone");

-- CreateIndex
CREATE INDEX "OnboardingState_clientId_idx" ON "OnboardingState"("clientId");

-- CreateIndex
CREATE UNIQUE INDEX "UnroutedMessage_twilioSid_key" ON "UnroutedMessage"("twilioSid");

-- CreateIndex
CREATE INDEX "UnroutedMessage_sender_receivedAt_idx" ON "UnroutedMessage"("sender", "receivedAt");

-- CreateIndex
CREATE INDEX "Alert_state_idx" ON "Alert"("state");

-- CreateIndex
CREATE INDEX "AlertDelivery_alertId_attemptedAt_idx" ON "AlertDelivery"("alertId", "attemptedAt");

-- AddForeignKey
ALTER TABLE "TwilioNumberPool" ADD CONSTRAINT "TwilioNumberPool_clientId_fkey" FOREIGN KEY ("clientId") REFERENCES "Client"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Customer" ADD CONSTRAINT "Customer_clientId_fkey" FOREIGN KEY ("clientId") REFERENCES "Client"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Conversation" ADD CONSTRAINT "Conversation_clientId_fkey" FOREIGN KEY ("clientId") REFERENCES "Client"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Conversation" ADD CONSTRAINT "Conversation_customerId_fkey" FOREIGN KEY ("customerId") REFERENCES "Customer"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Message" ADD CONSTRAINT "Message_clientId_fkey" FOREIGN KEY ("clientId") REFERENCES "Client"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Message" ADD CONSTRAINT "Message_conversationId_fkey" FOREIGN KEY ("conversationId") REFERENCES "Conversation"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Job" ADD CONSTRAINT "Job_clientId_fkey" FOREIGN KEY ("clientId") REFERENCES "Client"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Job" ADD CONSTRAINT "Job_conversationId_fkey" FOREIGN KEY ("conversationId") REFERENCES "Conversation"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "OnboardingState" ADD CONSTRAINT "OnboardingState_clientId_fkey" FOREIGN KEY ("clientId") REFERENCES "Client"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "AlertDelivery" ADD CONSTRAINT "AlertDelivery_alertId_fkey" FOREIGN KEY ("alertId") REFERENCES "Alert"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Checks

ALTER TABLE "TwilioNumberPool" ADD CONSTRAINT "TwilioNumberPool_operational_has_tenant"
  CHECK (("role" = 'OPERATIONAL') = ("clientId" IS NOT NULL));
ALTER TABLE "Message" ADD CONSTRAINT "Message_conversation_has_tenant"
  CHECK ("conversationId" IS NULL OR "clientId" IS NOT NULL);
ALTER TABLE "Message" ADD CONSTRAINT "Message_status_fits_direction"
  CHECK (("direction" = 'INBOUND') = ("status" IN ('RECEIVED', 'DEFERRED')));

-- One open job per conversation, one unresolved alert per key

CREATE UNIQUE INDEX "Job_one_open" ON "Job" ("conversationId") WHERE "status" NOT IN ('DECLINED', 'DONE');
CREATE UNIQUE INDEX "Alert_one_unresolved" ON "Alert" ("key") WHERE "state" <> 'RESOLVED';

-- What the workers look for; small, because rows leave them when they are done

CREATE INDEX "Message_queued" ON "Message" ("dueAt", "position") WHERE "status" = 'QUEUED';
CREATE INDEX "Message_leased" ON "Message" ("leasedUntil") WHERE "status" = 'SENDING';
CREATE INDEX "Message_in_flight" ON "Message" ("conversationId", "position") WHERE "status" IN ('QUEUED', 'SENDING');
CREATE INDEX "Message_deferred" ON "Message" ("dueAt") WHERE "status" = 'DEFERRED';
CREATE INDEX "Message_stuck" ON "Message" ("status") WHERE "status" IN ('UNKNOWN', 'DEAD');

-- Roles belong to the server, not to the database: another database may have made them, even at this moment.

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['gateway_tenant', 'gateway_service'] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOBYPASSRLS', name);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
      END;
    END IF;
    -- From PostgreSQL 16 on, making a role gives the right to grant it, not to become it.
    IF NOT pg_has_role(current_user, name,
      CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
      EXECUTE format('GRANT %I TO %I', name, current_user);
    END IF;
  END LOOP;
END $$;

GRANT USAGE ON SCHEMA public TO gateway_tenant, gateway_service;

-- Row-level security. A tenant's transaction sees the rows whose key is app.tenant_id; without it, none.
-- Work above tenants has a policy of its own. FORCE binds the owner of the tables too.

CREATE FUNCTION app_tenant_id() RETURNS uuid
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN NULLIF(current_setting('app.tenant_id', true), '')::uuid;

DO $$
DECLARE
  tenant_table record;
BEGIN
  FOR tenant_table IN
    SELECT * FROM (VALUES
      ('Client', 'id'), ('TwilioNumberPool', 'clientId'), ('Customer', 'clientId'), ('Conversation', 'clientId'),
      ('Message', 'clientId'), ('Job', 'clientId'), ('OnboardingState', 'clientId')
    ) AS t(name, key)
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table.name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table.name);
    EXECUTE format('CREATE POLICY tenant_rows ON %I TO gateway_tenant USING (%I = app_tenant_id()) WITH CHECK (%I = app_tenant_id())',
      tenant_table.name, tenant_table.key, tenant_table.key);
    EXECUTE format('CREATE POLICY service_rows ON %I TO gateway_service USING (true) WITH CHECK (true)', tenant_table.name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO gateway_tenant, gateway_service', tenant_table.name);
  END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON "UnroutedMessage", "Alert", "AlertDelivery" TO gateway_service;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO gateway_tenant, gateway_service;
