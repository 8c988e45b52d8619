-- Tables as schema.prisma describes them

-- CreateEnum
CREATE TYPE "CallHandling" AS ENUM ('NOTICE', 'DIAL');

-- AlterTable
ALTER TABLE "Client" ADD COLUMN     "lastJobNumber" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "ownerName" TEXT,
ADD COLUMN     "place" TEXT,
ADD COLUMN     "secondContactPhone" TEXT,
ADD COLUMN     "trade" TEXT;

-- AlterTable
ALTER TABLE "Conversation" ADD COLUMN     "humanUntil" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "Job" ADD COLUMN     "alertedAt" TIMESTAMPTZ(3),
ADD COLUMN     "answeredAt" TIMESTAMPTZ(3),
ADD COLUMN     "founderToldAt" TIMESTAMPTZ(3),
ADD COLUMN     "number" INTEGER,
ADD COLUMN     "secondTextAt" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "OnboardingState" ADD COLUMN     "founderToldAt" TIMESTAMPTZ(3),
ADD COLUMN     "locale" TEXT NOT NULL DEFAULT 'en',
ADD COLUMN     "remindedAt" TIMESTAMPTZ(3),
ADD COLUMN     "revision" INTEGER NOT NULL DEFAULT 1,
ADD COLUMN     "stateSince" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "texted" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "TwilioNumberPool" ADD COLUMN     "callHandling" "CallHandling" NOT NULL DEFAULT 'NOTICE',
ADD COLUMN     "releasedAt" TIMESTAMPTZ(3),
ADD COLUMN     "reserved" BOOLEAN NOT NULL DEFAULT false;

-- The short number by which an operator names a job

UPDATE "Job" j SET "number" = n."number"
  FROM (SELECT "id", row_number() OVER (PARTITION BY "clientId" ORDER BY "createdAt", "id") AS "number" FROM "Job") n
  WHERE n."id" = j."id";
UPDATE "Client" t SET "lastJobNumber" = COALESCE((SELECT max("number") FROM "Job" WHERE "clientId" = t."id"), 0);
ALTER TABLE "Job" ALTER COLUMN "number" SET NOT NULL;

-- CreateIndex
CREATE UNIQUE INDEX "Job_clientId_number_key" ON "Job"("clientId", "number");

-- Numbers that may be given to a new tenant: SYSTEM, not kept for the gateway itself, and rested

CREATE INDEX "TwilioNumberPool_available" ON "TwilioNumberPool" ("createdAt") WHERE "role" = 'SYSTEM' AND NOT "reserved";

-- When somebody last called and was texted

CREATE INDEX "Message_missed_call" ON "Message" ("clientId", "recipient", "createdAt") WHERE "kind" = 'missed_call';

-- Customers whose waiting texts are not to be sent any more

CREATE INDEX "Customer_opted_out" ON "Customer" ("optedOutAt") WHERE "optedOutAt" IS NOT NULL;
