-- In a migration of its own: a new value of an enum cannot be used in the transaction that adds it.

CREATE INDEX "Message_held" ON "Message" ("conversationId") WHERE "status" = 'HELD';
