import { elementsOf, parseTwiml, textOf } from "./parse-twiml.ts";
import type { TwimlElement } from "./parse-twiml.ts";
import type { Reply } from "./read-answer.ts";

/**
 * The texts of the `<Message>` verbs of a TwiML document.
 * @returns null when it is no TwiML (Twilio's error 12100)
 */
export function readTwiml(xml: string): Reply[] | null {
  const response = parseTwiml(xml);
  if (response === null) return null;
  return elementsOf(response)
    .filter(({ name }) => name === "Message")
    .map((message) => ({
      body: bodyOf(message),
      to: message.attributes["to"] ?? null,
      from: message.attributes["from"] ?? null,
    }))
    .filter(({ body }) => body !== "");
}

/** Text counts directly inside `<Message>` and inside its `<Body>`, not in `<Media>`. */
function bodyOf(message: TwimlElement): string {
  return message.children
    .map((child) => {
      if (typeof child === "string") return child.trim() === "" ? "" : child;
      return child.name === "Body" ? textOf(child) : "";
    })
    .join("");
}
