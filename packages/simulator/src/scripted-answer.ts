/** The structured answer the gateway asks a model for. */
export interface ScriptedAnswer {
  text: string;
  intent: "job_request" | "question" | "greeting" | "complaint" | "cancellation" | "other";
  urgency: "emergency" | "today" | "this_week" | "flexible" | "unknown";
  job: {
    summary: string;
    type: string | null;
    location: string | null;
    requestedTime: string | null;
    customerName: string | null;
  } | null;
  needsHuman: boolean;
}

const INTENTS: [RegExp, ScriptedAnswer["intent"]][] = [
  [/\bcancel/i, "cancellation"],
  [/\b(complain\w*|unhappy|terrible|refund)\b/i, "complaint"],
  [/^\W*(hi|hello|hey|good (morning|afternoon|evening))\W*$/i, "greeting"],
  [
    /\b(need|broken|leak\w*|burst|blocked|repair|fix|install|plumber|locksmith|electrician)\b/i,
    "job_request",
  ],
  [/\?\s*$/, "question"],
];
const URGENCIES: [RegExp, ScriptedAnswer["urgency"]][] = [
  [/\b(emergency|urgent|flood\w*|burst|gas|fire|smoke|sparks|locked out)\b/i, "emergency"],
  [/\b(today|tonight|asap|now)\b/i, "today"],
  [/\b(tomorrow|this week)\b/i, "this_week"],
  [/\b(whenever|no rush|any time)\b/i, "flexible"],
];
const TRADES: [RegExp, string][] = [
  [/\b(plumb\w*|leak\w*|pipe|tap|boiler|toilet|drain|burst|flood\w*)\b/i, "plumbing"],
  [/\b(lock\w*|key\w*)\b/i, "locksmith"],
  [/\b(electric\w*|socket|fuse|sparks)\b/i, "electrical"],
];

/**
 * What the double of the model says: the same answer for the same conversation, from the customer's texts alone.
 * It is a stand-in with a small vocabulary, not a judge of urgency; the gateway has its own net for that.
 */
export function scriptedAnswer(messages: { role: string; content: string }[]): ScriptedAnswer {
  const fromCustomer = messages.filter(({ role }) => role === "user");
  const last = fromCustomer.at(-1)?.content ?? "";
  const intent = firstMatch(INTENTS, last) ?? "other";
  const summary = shorten(last);
  return {
    text: `Thanks, we have it: ${summary}. Where are you, and when suits you?`,
    intent,
    urgency: firstMatch(URGENCIES, last) ?? "unknown",
    job:
      intent === "job_request"
        ? {
            summary,
            type: firstMatch(TRADES, last) ?? null,
            location: null,
            requestedTime: null,
            customerName: null,
          }
        : null,
    needsHuman: intent === "complaint",
  };
}

function firstMatch<T>(table: [RegExp, T][], text: string): T | undefined {
  return table.find(([pattern]) => pattern.test(text))?.[1];
}

/** One line of at most 60 characters, cut between code points, without its closing punctuation. */
function shorten(text: string): string {
  const line = [...text.replace(/\s+/g, " ").trim()];
  if (line.length > 60) return `${line.slice(0, 57).join("")}...`;
  return line.join("").replace(/[.!?]+$/, "");
}
