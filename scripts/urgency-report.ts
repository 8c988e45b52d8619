import { urgencyReport } from "../apps/backend/src/assistant/urgency-figures.ts";

/** Prints precision and recall of the urgency net: `node scripts/urgency-report.ts` (Node.js ≥ 22.18). */
console.log(urgencyReport());
