export const LINK = "https://files.example/a.jpg";
export const long = (length: number) => "a".repeat(length);
export const button = (id: string, title = "Yes") => ({ type: "reply", reply: { id, title } });
const row = (id: string, more: object = {}) => ({ id, title: `Row ${id}`, ...more });
export const rows = (count: number, from = 0) =>
  Array.from({ length: count }, (_none, index) => row(String(from + index)));

export const BUTTONS = {
  type: "button",
  header: { type: "text", text: "Your boiler" },
  body: { text: "Shall we come today?" },
  footer: { text: "24 h" },
  action: { buttons: [button("yes"), button("no", "No")] },
};
export const LIST = {
  type: "list",
  header: { type: "text", text: "When?" },
  body: { text: "Choose a time" },
  footer: { text: "24 h" },
  action: {
    button: "Times",
    sections: [
      { title: "Today", rows: [row("1", { description: "before noon" })] },
      { title: "Tomorrow", rows: [row("2")] },
    ],
  },
};
export const CTA = {
  type: "cta_url",
  header: { type: "image", image: { link: LINK } },
  body: { text: "Pay online" },
  action: {
    name: "cta_url",
    parameters: { display_text: "Pay", url: "https://pay.example/1" },
  },
};
export const FLOW = {
  type: "flow",
  body: { text: "Tell us more" },
  action: {
    name: "flow",
    parameters: {
      flow_message_version: "3",
      flow_id: "1234",
      flow_cta: "Start",
      flow_token: "t",
      flow_action: "navigate",
      flow_action_payload: { screen: "FIRST", data: { job: "boiler" } },
    },
  },
};
export const ASK_LOCATION = {
  type: "location_request_message",
  body: { text: "Where are you?" },
  action: { name: "send_location" },
};
export const CONTACT = {
  name: { formatted_name: "Müller & Söhne", first_name: "Müller" },
  birthday: "1999-12-31",
  org: { company: "Müller & Söhne", department: "Heating", title: "Dr" },
  phones: [{ phone: "+44 1632 960001", type: "WORK", wa_id: "441632960001" }],
  emails: [{ email: "office@example.com", type: "WORK" }],
  urls: [{ url: "https://example.com", type: "WORK" }],
  addresses: [{ street: "1 High St", city: "Bath", country_code: "gb", type: "WORK" }],
};
export const TEMPLATE = {
  name: "still_interested",
  language: { code: "fr" },
  components: [
    { type: "header", parameters: [{ type: "image", image: { link: LINK } }] },
    { type: "body", parameters: [{ type: "text", text: "Anna", parameter_name: "name" }] },
    {
      type: "button",
      sub_type: "quick_reply",
      index: "0",
      parameters: [{ type: "payload", payload: "p" }],
    },
  ],
};

/** The kind, a message of it, and that in words. All but plain words and `mark_read`. */
export const CONTENTS: [string, unknown, string][] = [
  ["image", { id: "42" }, "[image]"],
  ["image", { link: LINK, caption: "Our van" }, "[image] Our van"],
  ["video", { link: LINK, caption: "Our van" }, "[video] Our van"],
  ["audio", { id: "42" }, "[audio]"],
  ["audio", { id: "42", voice: true }, "[voice message]"],
  ["document", { id: "42" }, "[document]"],
  ["document", { link: LINK, filename: "bill.pdf", caption: "Here" }, "[document bill.pdf] Here"],
  ["sticker", { id: "42" }, "[sticker]"],
  ["location", { latitude: 51.38, longitude: -2.36 }, "[location] 51.38, -2.36"],
  [
    "location",
    { latitude: 0, longitude: 180, name: "Office", address: "1 High St" },
    "[location] Office, 1 High St",
  ],
  [
    "contacts",
    [CONTACT, { name: { formatted_name: "Ben", first_name: "Ben" } }],
    "[contacts] Müller & Söhne, Ben",
  ],
  ["interactive", BUTTONS, "Your boiler\nShall we come today?\n24 h\n[Yes] [No]"],
  ["interactive", LIST, "When?\nChoose a time\n24 h\n[Times: Row 1 | Row 2]"],
  ["interactive", CTA, "[image]\nPay online\n[Pay: https://pay.example/1]"],
  ["interactive", FLOW, "Tell us more\n[Start]"],
  ["interactive", ASK_LOCATION, "Where are you?\n[send location]"],
  ["template", TEMPLATE, "[template still_interested] Anna"],
  ["template", { name: "hello", language: { code: "en_US" } }, "[template hello]"],
  ["reaction", { message_id: "wamid.A=", emoji: "👍🏽" }, "[reaction] 👍🏽"],
  ["reaction", { message_id: "wamid.A=", emoji: "❤" }, "[reaction] ❤"],
  ["reaction", { message_id: "wamid.A=", emoji: "🇫🇷" }, "[reaction] 🇫🇷"],
  ["reaction", { message_id: "wamid.A=", emoji: "" }, "[reaction] removed"],
];

export const withButtons = (...buttons: object[]) => ({ ...BUTTONS, action: { buttons } });
export const withSections = (...sections: object[]) => ({
  ...LIST,
  action: { button: "Times", sections },
});
export const withRow = (more: object) => withSections({ rows: [row("1", more)] });
export const withUrl = (more: object) => ({
  ...CTA,
  action: { name: "cta_url", parameters: { ...CTA.action.parameters, ...more } },
});
export const withFlow = (more: object) => ({
  ...FLOW,
  action: { name: "flow", parameters: { ...FLOW.action.parameters, ...more } },
});
export const withComponents = (...components: object[]) => ({ ...TEMPLATE, components });
