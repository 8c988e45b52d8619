/** An element of a TwiML document, with what it holds in document order. */
export interface TwimlElement {
  name: string;
  attributes: Record<string, string>;
  children: (TwimlElement | string)[];
}

const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[(?<cdata>[\s\S]*?)\]\]>|<(?<end>\/?)(?<name>[A-Za-z][\w.-]*)(?<attributes>(?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(?<empty>\/?)>|(?<text>[^<]+)/y;
const ATTRIBUTE = /([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const ENTITY = /&(?:#(\d+)|#x([0-9a-fA-F]+)|(lt|gt|amp|quot|apos));/g;
const NAMED: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/**
 * Reads a TwiML document.
 * @returns its `<Response>`, or null when it is not well-formed or its root is another (Twilio's error 12100)
 */
export function parseTwiml(xml: string): TwimlElement | null {
  const document: TwimlElement = { name: "", attributes: {}, children: [] };
  const open = [document];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < xml.length) {
    const token = TOKEN.exec(xml)?.groups;
    const parent = open.at(-1);
    if (!token || !parent) return null;
    const { name, cdata } = token;
    if (name === undefined) {
      const text = cdata ?? decode(token["text"] ?? "");
      if (text === null || (parent === document && text.trim() !== "")) return null;
      parent.children.push(text);
    } else if (token["end"]) {
      if (parent.name !== name || open.pop() === document) return null;
    } else {
      const attributes = readAttributes(token["attributes"] ?? "");
      if (attributes === null) return null;
      const element: TwimlElement = { name, attributes, children: [] };
      parent.children.push(element);
      if (!token["empty"]) open.push(element);
    }
  }
  const [root, ...more] = elementsOf(document);
  return open.length === 1 && root?.name === "Response" && more.length === 0 ? root : null;
}

/** The elements directly inside one. */
export function elementsOf(element: TwimlElement): TwimlElement[] {
  return element.children.filter((child) => typeof child !== "string");
}

/** All text inside an element, at any depth. */
export function textOf(element: TwimlElement): string {
  return element.children
    .map((child) => (typeof child === "string" ? child : textOf(child)))
    .join("");
}

function readAttributes(text: string): Record<string, string> | null {
  const attributes: Record<string, string> = {};
  for (const [, name = "", double, single] of text.matchAll(ATTRIBUTE)) {
    const value = decode(double ?? single ?? "");
    if (value === null) return null;
    attributes[name] = value;
  }
  return attributes;
}

/** Text with its entities resolved; null when an ampersand is not part of one. */
function decode(text: string): string | null {
  if (text.replace(ENTITY, "").includes("&")) return null;
  return text.replace(ENTITY, (_, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED[name] ?? "";
    return String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex ?? "", 16));
  });
}
