-- What waits for an answer in one conversation, which may have tens of thousands of texts. Under row-level
-- security the planner knows nothing of how few are deferred: without this it reads the conversation's whole index.

CREATE INDEX "Message_deferred_of_conversation" ON "Message" ("conversationId", "position") WHERE "status" = 'DEFERRED';

-- A conversation is one tenant's. Told so, the planner does not take the tenant's key that row-level security adds for a
-- condition that few of the conversation's messages meet, and reads the newest of them by the index instead of sorting all.

CREATE STATISTICS "Message_conversation_tenant" (dependencies) ON "conversationId", "clientId" FROM "Message";

-- What an operator was told last from a number: a tenant without a number of its own is known by it. Each inbound text
-- asks, and most operators are told by their own tenant's number.

CREATE INDEX "Message_outside_conversations" ON "Message" ("recipient", "sender", "position")
  WHERE "conversationId" IS NULL AND "direction" = 'OUTBOUND';
