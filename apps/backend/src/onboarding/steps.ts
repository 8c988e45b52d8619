import {
  readAlertPhone,
  readBusinessName,
  readConfirmation,
  readDone,
  readOwnerName,
  readPhoneType,
  readTradeAndPlace,
  type ReadAnswer,
} from "./read-answers.ts";
import type { SignUp } from "./sign-up.ts";
import type { TextKey } from "./wording.ts";

export type State =
  | "TRADE_AND_PLACE"
  | "BUSINESS_NAME"
  | "OWNER_NAME"
  | "ALERT_PHONE"
  | "CONFIRM"
  | "WAITING_FOR_NUMBER"
  | "PHONE_TYPE"
  | "FORWARDING"
  | "TEST_CALL"
  | "COMPLETE";

export interface Step {
  question: (signUp: SignUp) => TextKey;
  /** How a text answers it. Null: no text does, whatever it says. */
  read: ReadAnswer | null;
  /** Where the answer leads, or what happens instead of one */
  next: State;
  back: State | null;
}

/**
 * The sign-up, one row per state. A text moves a person to `next` of their own state or not at all:
 * WAITING_FOR_NUMBER ends by an allocation, TEST_CALL by a call, COMPLETE never.
 */
export const steps: Record<State, Step> = {
  TRADE_AND_PLACE: {
    question: () => "askTradeAndPlace",
    read: readTradeAndPlace,
    next: "BUSINESS_NAME",
    back: null,
  },
  BUSINESS_NAME: {
    question: () => "askBusinessName",
    read: readBusinessName,
    next: "OWNER_NAME",
    back: "TRADE_AND_PLACE",
  },
  OWNER_NAME: {
    question: () => "askOwnerName",
    read: readOwnerName,
    next: "ALERT_PHONE",
    back: "BUSINESS_NAME",
  },
  ALERT_PHONE: {
    question: () => "askAlertPhone",
    read: readAlertPhone,
    next: "CONFIRM",
    back: "OWNER_NAME",
  },
  CONFIRM: {
    question: () => "askConfirm",
    read: readConfirmation,
    next: "WAITING_FOR_NUMBER",
    back: "ALERT_PHONE",
  },
  WAITING_FOR_NUMBER: {
    question: () => "waitingForNumber",
    read: null,
    next: "PHONE_TYPE",
    back: "CONFIRM",
  },
  PHONE_TYPE: {
    question: () => "askPhoneType",
    read: readPhoneType,
    next: "FORWARDING",
    back: "CONFIRM",
  },
  FORWARDING: {
    question: ({ answers }) => forwardingQuestions[answers.phoneType ?? "android"],
    read: readDone,
    next: "TEST_CALL",
    back: "PHONE_TYPE",
  },
  TEST_CALL: {
    question: () => "askTestCall",
    read: null,
    next: "COMPLETE",
    back: "FORWARDING",
  },
  COMPLETE: {
    question: ({ number }) => (number === null ? "completeWithoutNumber" : "complete"),
    read: null,
    next: "COMPLETE",
    back: null,
  },
};

const forwardingQuestions = {
  iphone: "forwardingIphone",
  android: "forwardingAndroid",
  landline: "forwardingLandline",
} as const satisfies Record<string, TextKey>;

/** Those that a person goes through, in order. Waiting is a part of the confirmation. */
const counted: State[] = (Object.keys(steps) as State[]).filter(
  (state) => state !== "WAITING_FOR_NUMBER" && state !== "COMPLETE",
);

/** How far somebody is: both from 1. */
export function stepNumber(state: State): { step: number; steps: number } {
  const shown = state === "WAITING_FOR_NUMBER" ? "CONFIRM" : state;
  const step = state === "COMPLETE" ? counted.length : counted.indexOf(shown) + 1;
  return { step, steps: counted.length };
}
