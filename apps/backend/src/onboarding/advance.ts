import { consentChange, isConsentKeyword } from "../conversations/decide.ts";
import { asWord, type Answers } from "./read-answers.ts";
import type { SignUp } from "./sign-up.ts";
import { steps, type State } from "./steps.ts";
import type { TextKey } from "./wording.ts";

/** What a text does to a sign-up. */
export interface Move {
  state: State;
  answers: Answers;
  stopped: boolean;
  /** Said before the question of the state */
  notes: TextKey[];
  /** Whether the question of the state is asked */
  asks: boolean;
}

/** Words that mean the same in every state. The whole message must be the word. */
const commands: Record<string, (signUp: SignUp) => Partial<Move>> = {
  HELP: () => ({ notes: ["help"] }),
  STATUS: () => ({ notes: ["status"] }),
  BACK: ({ state }) => {
    const { back } = steps[state];
    return back === null ? { notes: ["nothingBefore"] } : { state: back };
  },
  RESTART: () => ({ state: "TRADE_AND_PLACE", answers: {}, notes: ["restarted"] }),
};

const ALIASES: Record<string, string> = {
  AIDE: "HELP",
  STATUT: "STATUS",
  RETOUR: "BACK",
  RECOMMENCER: "RESTART",
};

/**
 * The machine: pure. A text is an answer to the question of the present state, or one of the words
 * above; it never names the state it leads to.
 */
export function advance(signUp: SignUp, text: string): Move {
  const { state, answers, stopped, phone, isNew } = signUp;
  const stay: Move = { state, answers, stopped, notes: [], asks: true };
  const consent = consentChange(text);
  if (consent?.optedOut === false)
    return { ...stay, stopped: false, notes: isNew ? ["welcome"] : [] };
  if (consent?.optedOut) {
    // Twilio answers its keywords itself, and lets nothing of ours through after them until START.
    const confirmed = stopped || isConsentKeyword(text);
    return { ...stay, stopped: true, notes: confirmed ? [] : ["stopped"], asks: false };
  }
  if (stopped) return { ...stay, asks: false };
  if (isNew) return { ...stay, notes: ["welcome"] };
  if (state === "COMPLETE") return stay;

  const word = asWord(text);
  const command = commands[ALIASES[word] ?? word];
  if (command !== undefined) return { ...stay, ...command(signUp) };

  const { read, next } = steps[state];
  if (read === null) return { ...stay, notes: state === "TEST_CALL" ? ["noCallYet"] : [] };
  const reading = read(text, phone);
  return reading.kind === "problem"
    ? { ...stay, notes: [reading.problem] }
    : { ...stay, state: next, answers: { ...answers, ...reading.values } };
}
