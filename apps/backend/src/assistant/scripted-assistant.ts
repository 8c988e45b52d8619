import {
  AssistantError,
  shorten,
  type Assistant,
  type AssistantContext,
  type AssistantReply,
  type JobDraft,
} from "./assistant.ts";
import { findJobDetails, greeting, summarise } from "./job-details.ts";
import { questionAsked, scriptedTexts, type Question } from "./scripted-texts.ts";
import { detectUrgency, raiseUrgency, urgencyOfTurn } from "./urgency.ts";

/**
 * An assistant without a model or network: the default without a key, and what a tenant with `aiDisabled`
 * gets. The same context always gives the same reply. It asks what, where and when, one question a turn.
 */
export function scriptedAssistant(): Assistant {
  return {
    provider: "scripted",
    async reply(context, signal) {
      if (signal.aborted) throw new AssistantError("timeout", "no time left to reply");
      return { reply: scriptedReply(context), usage: { tokensIn: 0, tokensOut: 0 } };
    },
  };
}

type Kind =
  | "injection"
  | "cancellation"
  | "human"
  | "complaint"
  | "media"
  | "wordless"
  | "thanks"
  | "greeting"
  | "question"
  | "job";

/** First match wins. Each is tried on all the turn's words together. */
const recognised: readonly (readonly [Kind, RegExp])[] = [
  [
    "injection",
    /\b(?:ignore|disregard|forget|oublie[zr]?|ignore[zr]?)\b.{0,40}\b(?:instructions?|rules?|prompt|r[èe]gles|consignes)\b|system prompt|developer mode|you are now|act as (?:a|an)\b|tu es maintenant|\bsystem\s*:/iu,
  ],
  ["cancellation", /\b(?:cancel\w*|annul\w+)\b/iu],
  [
    "human",
    /\b(?:(?:speak|talk) (?:to|with) (?:a |the |some)?(?:person|human|someone|somebody|one|body|owner|manager)|real person|parler à (?:quelqu|une personne|un humain))/iu,
  ],
  [
    "complaint",
    /\b(?:complain\w*|complaint|disappointed|unacceptable|disgusting|never turned up|didn['’]t turn up|rip.?off|réclamation|plainte|inadmissible|déçue?s?|inacceptable)/iu,
  ],
  [
    "thanks",
    /^\s*(?:ok[\s,.!]*|great[\s,.!]*|super[\s,.!]*|perfect[\s,.!]*)?(?:thanks?(?: you)?|thx|cheers|ta|merci)(?: (?:so much|very much|a lot|beaucoup|again|mate|bien))?[^\p{L}]*$/iu,
  ],
];

const asksSomething =
  /^\s*(?:do|does|are|is|what|which|how|who|where|when|can i|could i|faites|est-ce|êtes|quel|combien|vous|acceptez|puis-je)\b.*\?\s*$/isu;

function kindOf(context: AssistantContext, asked: Question | null): Kind {
  const said = wordsOf(context);
  if (!/[\p{L}\p{N}]/u.test(said)) {
    return context.texts.some(({ media }) => media.length > 0) ? "media" : "wordless";
  }
  // Danger is answered as danger, whatever else the text says.
  if (urgencyOfTurn(context) === "emergency") return "job";
  const found = recognised.find(([, words]) => words.test(said));
  if (found) return found[0];
  if (!/[\p{L}\p{N}]/u.test(said.replace(greeting, ""))) return "greeting";
  const isAboutWork = findJobDetails(said).type !== null || detectUrgency(said) !== "unknown";
  if (asksSomething.test(said.replace(greeting, "")) && !isAboutWork) return "question";
  // A lone number is no job, but it may be the house number we asked for.
  return /\p{L}/u.test(said) || asked ? "job" : "wordless";
}

function scriptedReply(context: AssistantContext): AssistantReply {
  const say = scriptedTexts[context.business.locale];
  const name = shorten(context.business.name, 60);
  const asked = questionAsked(
    context.history.findLast(({ from }) => from === "business")?.text ?? "",
  );
  const kind = kindOf(context, asked);
  const job = kind === "job" ? updatedJob(context, asked) : draftOf(context.openJob);
  const urgency = raiseUrgency(context.openJob?.urgency ?? "unknown", urgencyOfTurn(context));
  const next = nextQuestion(job, urgency === "emergency");
  const ask = next ? say.questions[next] : "";
  const reply = (intent: AssistantReply["intent"], text: string, needsHuman = false) => ({
    text: text.trim(),
    intent,
    urgency,
    job,
    needsHuman,
  });

  switch (kind) {
    case "cancellation":
      return reply("cancellation", say.cancellation(name), true);
    case "complaint":
      return reply("complaint", say.complaint(name), true);
    case "human":
      return reply("other", say.human(name), true);
    case "question":
      return reply("question", `${say.question(name)} ${ask}`, true);
    case "injection":
      return reply("other", `${say.offTopic(name)} ${ask}`);
    case "thanks":
      return reply("other", say.thanks(name));
    case "greeting":
      return reply("greeting", `${say.greeting(name)} ${ask}`);
    case "media":
      return reply("other", `${say.media} ${ask}`);
    case "wordless":
      return reply("other", `${say.wordless} ${ask}`);
    case "job":
      return reply("job_request", jobReply(context, name, ask));
    default:
      return kind satisfies never;
  }
}

function jobReply(context: AssistantContext, name: string, ask: string): string {
  const say = scriptedTexts[context.business.locale];
  const dangerous = context.texts.some(
    ({ text }) => detectUrgency(text) === "emergency" && lifeThreatening.test(text),
  );
  const warning = dangerous ? `${say.danger} ` : "";
  if (urgencyOfTurn(context) === "emergency") return `${warning}${say.emergency(name)} ${ask}`;
  if (ask) return `${say.noted} ${ask}`;
  const wasComplete = context.openJob?.location && context.openJob.requestedTime;
  return wasComplete ? say.added(name) : say.complete(name);
}

const lifeThreatening =
  /\b(?:gas|gaz|smell|fire|feu|flam\w+|incendie|smoke|smoking|carbon|monoxide|monoxyde|co|sparks?|sparking|shock|burn\w*)\b|fum[ée]e|[ée]tincelle|br[ûu]l|[ée]lectrique/iu;

/** What is known after this turn: the open job, completed by what the customer says or answers now. */
function updatedJob(context: AssistantContext, asked: Question | null): JobDraft | null {
  const { openJob: open, history } = context;
  const said = wordsOf(context);
  // What the operator reads first must be what makes them go.
  const isNewEmergency =
    urgencyOfTurn(context) === "emergency" && open !== null && open.urgency !== "emergency";
  const summary = (isNewEmergency ? null : open?.summary) ?? summarise(said);
  if (!summary) return null;
  const now = findJobDetails(said);
  const before = findJobDetails(
    history.flatMap(({ from, text }) => (from === "customer" ? [text] : [])).join("\n"),
  );
  // An emergency is news, whatever was asked before.
  const answers = open && detectUrgency(said) !== "emergency";
  const answer = (question: Question, found: string | null) =>
    answers && asked === question ? directAnswer(said, found) : found;
  return {
    summary,
    type: open?.type ?? now.type,
    location: answer("where", now.location) ?? open?.location ?? before.location,
    requestedTime: answer("when", now.requestedTime) ?? open?.requestedTime ?? null,
    customerName: now.customerName ?? open?.customerName ?? before.customerName,
  };
}

/** A short answer says more as it stands ("12 Mill Lane, by the church"); a long one only if nothing is found in it. */
function directAnswer(said: string, found: string | null): string {
  const answer = said.replace(/\s+/g, " ");
  return found && answer.length > 60 ? found : shorten(answer, 120);
}

function nextQuestion(job: JobDraft | null, isEmergency: boolean): Question | null {
  if (!job) return "what";
  if (!job.location) return "where";
  return job.requestedTime || isEmergency ? null : "when";
}

function draftOf(openJob: AssistantContext["openJob"]): JobDraft | null {
  if (!openJob) return null;
  const { urgency: _, ...draft } = openJob;
  return draft;
}

function wordsOf({ texts }: AssistantContext): string {
  return texts
    .map(({ text }) => text)
    .join("\n")
    .trim();
}
