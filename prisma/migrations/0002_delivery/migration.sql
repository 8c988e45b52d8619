-- Tables as schema.prisma describes them

-- AlterTable
ALTER TABLE "Message" ADD COLUMN     "expiresAt" TIMESTAMPTZ(3),
ADD COLUMN     "failures" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "priority" SMALLINT NOT NULL DEFAULT 0,
ADD COLUMN     "resends" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "unknownSince" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "ChannelStop" (
    "channel" TEXT NOT NULL,
    "sender" TEXT NOT NULL DEFAULT '',
    "recipientPrefix" TEXT NOT NULL DEFAULT '',
    "code" TEXT NOT NULL,
    "stoppedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "probeAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ChannelStop_pkey" PRIMARY KEY ("channel","sender","recipientPrefix")
);

-- CreateTable
CREATE TABLE "PendingReceipt" (
    "id" UUID NOT NULL,
    "provider" TEXT NOT NULL,
    "providerMessageId" TEXT NOT NULL,
    "messageId" UUID,
    "status" "MessageStatus" NOT NULL,
    "code" TEXT,
    "receivedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "PendingReceipt_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "SweepState" (
    "provider" TEXT NOT NULL,
    "watermark" TIMESTAMPTZ(3) NOT NULL,
    "claimedUntil" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastRunAt" TIMESTAMPTZ(3),
    "missed" INTEGER NOT NULL DEFAULT 0,
    "recovered" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "SweepState_pkey" PRIMARY KEY ("provider")
);

-- CreateIndex
CREATE UNIQUE INDEX "PendingReceipt_providerMessageId_status_key" ON "PendingReceipt"("providerMessageId", "status");

-- What the workers look for. Claims go sender by sender, so that no backlog hides another's texts; an unknown
-- outcome holds up the texts behind it.

DROP INDEX "Message_queued";
DROP INDEX "Message_in_flight";
CREATE INDEX "Message_queued" ON "Message" ("sender", "priority", "dueAt", "position") WHERE "status" = 'QUEUED';
CREATE INDEX "Message_in_flight" ON "Message" ("conversationId", "position") WHERE "status" IN ('QUEUED', 'SENDING', 'UNKNOWN');
CREATE INDEX "Message_unknown" ON "Message" ("dueAt") WHERE "status" = 'UNKNOWN';
CREATE INDEX "Message_expiring" ON "Message" ("expiresAt") WHERE "status" = 'QUEUED' AND "expiresAt" IS NOT NULL;

UPDATE "Message" SET "unknownSince" = "createdAt", "dueAt" = now() WHERE "status" = 'UNKNOWN';
ALTER TABLE "Message" ADD CONSTRAINT "Message_unknown_has_its_time"
  CHECK ("status" <> 'UNKNOWN' OR "unknownSince" IS NOT NULL);

GRANT SELECT, INSERT, UPDATE, DELETE ON "ChannelStop", "PendingReceipt", "SweepState" TO gateway_service;
