import type { Reply } from "./read-answer.ts";

const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[(?<cdata>[\s\S]*?)\]\]>|<(?<end>\/?)(?<name>[A-Za-z][\w.-]*)(?<attributes>(?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(?<empty>\/?)>|(?<text>[^<]+)/y;
const ENTITY = /&(?:#(\d+)|#x([0-9a-fA-F]+)|(lt|gt|amp|quot|apos));/g;
const NAMED: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/**
 * The texts of the `<Message>` verbs of a TwiML document.
 * @returns null when it is not well-formed or its root is not `<Response>` (Twilio's error 12100)
 */
export function readTwiml(xml: string): Reply[] | null {
  const replies: Reply[] = [];
  const open: string[] = [];
  let roots = 0;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < xml.length) {
    const token = TOKEN.exec(xml)?.groups;
    if (!token) return null;
    const { name, cdata } = token;
    if (name === undefined) {
      const text = cdata ?? decode(token["text"] ?? "");
      if (text === null || (open.length === 0 && text.trim() !== "")) return null;
      appendText(replies, open, text);
    } else if (token["end"]) {
      if (open.pop() !== name) return null;
    } else {
      if (open.length === 0 && (name !== "Response" || ++roots > 1)) return null;
      if (open.length === 1 && name === "Message") {
        const attributes = token["attributes"] ?? "";
        replies.push({
          body: "",
          to: attribute(attributes, "to"),
          from: attribute(attributes, "from"),
        });
      }
      if (!token["empty"]) open.push(name);
    }
  }
  if (open.length > 0 || roots !== 1) return null;
  return replies.filter((reply) => reply.body !== "");
}

/** Text counts directly inside `<Message>` and inside its `<Body>`, not in `<Media>`. */
function appendText(replies: Reply[], open: string[], text: string): void {
  const reply = replies.at(-1);
  if (!reply || open[1] !== "Message") return;
  const direct = open.length === 2 && text.trim() !== "";
  if (direct || open[2] === "Body") reply.body += text;
}

function attribute(attributes: string, name: string): string | null {
  const match = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(attributes);
  return match ? decode(match[1] ?? match[2] ?? "") : null;
}

/** Text with its entities resolved; null when an ampersand is not part of one. */
function decode(text: string): string | null {
  if (text.replace(ENTITY, "").includes("&")) return null;
  return text.replace(ENTITY, (_, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED[name] ?? "";
    return String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex ?? "", 16));
  });
}
