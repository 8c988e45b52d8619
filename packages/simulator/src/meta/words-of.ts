import { valueAt } from "./value-at.ts";

/** What the recipient of a message in Meta's form reads, on one or a few lines. */
export function wordsOf(type: string, request: Record<string, unknown>): string {
  const content = request[type];
  switch (type) {
    case "text":
      return at(content, "body");
    case "interactive":
      return [at(content, "header", "text"), at(content, "body", "text"), ...choicesIn(content)]
        .filter(Boolean)
        .join("\n");
    case "template":
      return `[template ${at(content, "name")}] ${textsIn(content).join(" | ")}`.trim();
    case "location":
      return `[location] ${at(content, "name")} ${at(content, "address")}`.trim();
    case "contacts":
      return `[contacts] ${listAt(request, "contacts")
        .map((contact) => at(contact, "name", "formatted_name"))
        .join(", ")}`;
    case "reaction":
      return at(content, "emoji") || "[reaction removed]";
    default:
      return `[${type}] ${at(content, "caption") || at(content, "filename")}`.trim();
  }
}

function choicesIn(interactive: unknown): string[] {
  const action = valueAt(interactive, ["action"]);
  const rows = listAt(action, "sections").flatMap((section) => listAt(section, "rows"));
  return [
    ...listAt(action, "buttons").map((button) => at(button, "reply", "title")),
    ...rows.map((row) => at(row, "title")),
    at(action, "parameters", "display_text"),
    at(action, "parameters", "flow_cta"),
  ]
    .filter(Boolean)
    .map((title) => `[${title}]`);
}

function textsIn(template: unknown): string[] {
  return listAt(template, "components")
    .flatMap((component) => listAt(component, "parameters"))
    .map((parameter) => at(parameter, "text"))
    .filter(Boolean);
}

function at(value: unknown, ...path: string[]): string {
  const found = valueAt(value, path);
  return typeof found === "string" ? found : "";
}

function listAt(value: unknown, key: string): unknown[] {
  const found = valueAt(value, [key]);
  return Array.isArray(found) ? found : [];
}
