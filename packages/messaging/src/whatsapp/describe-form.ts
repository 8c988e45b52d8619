import { type Fields, isFields, parseStorableJson, textOf } from "./storable-json.ts";

/**
 * The answers of a form that a customer filled in. `response_json` should be an object as JSON; it
 * has been seen missing, invalid and as an array, and is then put into words as it is.
 *
 * @param reply `interactive.nfm_reply`
 * @returns one part per answer, such as "day: Monday"
 */
export function formInWords(reply: Fields): string[] {
  const given = reply["response_json"];
  const answers = typeof given === "string" ? (parseStorableJson(given) ?? given) : given;
  const parts = isFields(answers) ? answersOf(answers) : [inWords(answers)];
  const told = parts.filter((part) => part !== "");
  return told.length > 0 ? told : [textOf(reply["body"]) ?? ""];
}

function answersOf(answers: Fields): string[] {
  return (
    Object.entries(answers)
      // Ours, not the customer's.
      .filter(([name]) => name !== "flow_token")
      .map(([name, answer]) => [name, inWords(answer)])
      .filter(([, answer]) => answer !== "")
      .map(([name, answer]) => `${name}: ${answer}`)
  );
}

function inWords(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(inWords).filter(Boolean).join(", ");
  if (isFields(value)) return answersOf(value).join(", ");
  return textOf(value) ?? "";
}
