import type pg from "pg";
import type { CheckName } from "./verify.ts";

/** A guard taken away in the run's own database, and the check that must then fail. */
export interface Control {
  what: string;
  breaks: CheckName;
  /** Event and body of a trigger that runs before the change of a row. */
  on: string;
  does: string;
}

/** The gateway has no switch for any of this: its statements run unchanged and the database answers otherwise. */
export const controls = {
  "resend-unknown": {
    what: "an unknown outcome is treated as unavailable",
    breaks: "doubled",
    on: `UPDATE ON "Message" FOR EACH ROW WHEN (NEW."status" = 'UNKNOWN')`,
    does: `NEW."status" := 'QUEUED'; NEW."dueAt" := now(); NEW."unknownSince" := NULL;`,
  },
  "no-lease": {
    what: "a claim holds nothing",
    breaks: "doubled",
    on: `UPDATE ON "Message" FOR EACH ROW WHEN (NEW."status" = 'SENDING')`,
    does: `NEW."status" := OLD."status"; NEW."leasedUntil" := NULL;`,
  },
  "no-order": {
    what: "texts do not know their conversation, so none waits for the one before it",
    breaks: "order",
    on: `INSERT ON "Message" FOR EACH ROW WHEN (NEW."direction" = 'OUTBOUND')`,
    does: `NEW."conversationId" := NULL;`,
  },
} as const satisfies Record<string, Control>;

export type ControlName = keyof typeof controls;

export async function installControl(database: pg.Pool, { on, does }: Control): Promise<void> {
  await database.query(`
    CREATE FUNCTION chaos_control() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN ${does} RETURN NEW; END $$;
    CREATE TRIGGER chaos_control BEFORE ${on} EXECUTE FUNCTION chaos_control();`);
}
