import type { Simulator } from "../index.ts";

/** Who is written to unless a test says otherwise. */
export const PERSON = "+33612345678";

interface Answer {
  error?: { code: number; error_data?: { details: string } };
}

/** Posts to the messages of the number. */
export async function post(simulator: Simulator, body: unknown) {
  const { apiUrl, phoneNumberId, accessToken } = simulator.whatsApp;
  const response = await fetch(`${apiUrl}/v24.0/${phoneNumberId}/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}` },
    body: JSON.stringify(body),
  });
  return { status: response.status, answer: (await response.json()) as Answer };
}

/** Posts a message to a person; `more` changes what is around its content. */
export const send = (simulator: Simulator, type: string, content: unknown, more: object = {}) =>
  post(simulator, { messaging_product: "whatsapp", to: PERSON, type, [type]: content, ...more });

/** A text of that length. */
export const x = (length: number) => "x".repeat(length);
export const button = (id: string, title: string) => ({ type: "reply", reply: { id, title } });
export const buttons = (...all: unknown[]) => ({
  type: "button",
  body: { text: "Which?" },
  action: { buttons: all },
});
export const rows = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({ id: `r${from + index}`, title: "Row" }));
export const list = (...sections: unknown[]) => ({
  type: "list",
  body: { text: "Pick" },
  action: { button: "Open", sections },
});
export const flow = (parameters: object) => ({
  type: "flow",
  body: { text: "Fill in" },
  action: { name: "flow", parameters: { flow_message_version: "3", ...parameters } },
});
export const cta = (parameters: object) => ({
  type: "cta_url",
  body: { text: "See" },
  action: { name: "cta_url", parameters },
});
export const LINK = "https://example.com/a.png";
export const image = (more: object) => ({ type: "image", image: { link: LINK }, ...more });
export const parameter = (text: string) => ({ type: "text", text });
export const template = (...components: unknown[]) => ({
  name: "come_back",
  language: { code: "en_GB" },
  components,
});
export const contact = (name: object) => ({
  name,
  phones: [{ phone: "+44 7700 900123", type: "CELL" }],
});
