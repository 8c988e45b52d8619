const LINK = "https://files.example.com/a.jpg";
const long = (length: number) => "a".repeat(length);
const replyButton = (id: string, title: string) => ({ type: "reply", reply: { id, title } });
const listRow = (id: string, more: object = {}) => ({ id, title: `Row ${id}`, ...more });
const listRows = (count: number) => Array.from({ length: count }, (_, n) => listRow(String(n)));
const interactive = (content: object) => ({ type: "interactive", interactive: content });
const withButtons = (...buttons: object[]) =>
  interactive({ type: "button", body: { text: "When?" }, action: { buttons } });
const withSections = (...sections: object[]) =>
  interactive({ type: "list", body: { text: "When?" }, action: { button: "Times", sections } });
const withUrl = (parameters: object) =>
  interactive({
    type: "cta_url",
    body: { text: "Pay" },
    action: { name: "cta_url", parameters: { display_text: "Pay", url: LINK, ...parameters } },
  });
const withFlow = (parameters: object) =>
  interactive({
    type: "flow",
    body: { text: "Tell us more" },
    action: {
      name: "flow",
      parameters: { flow_message_version: "3", flow_id: "10", flow_cta: "Start", ...parameters },
    },
  });
const withGap = (type: string, ...words: string[]) => ({
  template: {
    name: "still_interested",
    language: { code: "en_US" },
    components: [{ type, parameters: words.map((text) => ({ type: "text", text })) }],
  },
});
const contact = (more: object = {}) => ({
  name: { formatted_name: "Müller & Söhne", first_name: "Müller" },
  phones: [{ phone: "+44 1632 960001", type: "WORK" }],
  ...more,
});

/** Each type as large as Meta allows it to be. */
export const ACCEPTED: [string, object][] = [
  ["text", { text: { body: long(4096) } }],
  ["text", { text: { body: `See ${LINK}`, preview_url: true } }],
  ["text", { text: { body: "Yes" }, context: { message_id: "wamid.x" } }],
  ["image", { image: { link: LINK, caption: long(1024) } }],
  ["image", { image: { id: "1013859600285441" } }],
  ["video", { video: { link: LINK, caption: long(1024) } }],
  ["document", { document: { id: "10", filename: "plan.pdf", caption: long(1024) } }],
  ["audio", { audio: { id: "10", voice: true } }],
  ["sticker", { sticker: { id: "10" } }],
  ["location", { location: { latitude: -90, longitude: 180, name: "Home", address: "1 High St" } }],
  ["contacts", { contacts: [contact({ birthday: "1999-12-31" }), contact()] }],
  [
    "interactive",
    interactive({
      type: "button",
      header: { type: "text", text: long(60) },
      body: { text: long(1024) },
      footer: { text: long(60) },
      action: {
        buttons: [
          replyButton(long(256), long(20)),
          replyButton("no", "No"),
          replyButton("maybe", "Maybe"),
        ],
      },
    }),
  ],
  [
    "interactive",
    interactive({
      type: "list",
      header: { type: "text", text: long(60) },
      body: { text: long(4096) },
      footer: { text: long(60) },
      action: {
        button: long(20),
        sections: [
          {
            title: long(24),
            rows: [{ id: long(200), title: long(24), description: long(72) }, ...listRows(8)],
          },
          { title: "More", rows: [listRow("last")] },
        ],
      },
    }),
  ],
  ["interactive", withUrl({ display_text: long(20) })],
  [
    "interactive",
    withFlow({
      flow_cta: long(30),
      flow_token: "t",
      flow_action: "navigate",
      flow_action_payload: { screen: "FIRST", data: { job: "boiler" } },
    }),
  ],
  [
    "interactive",
    interactive({
      type: "location_request_message",
      body: { text: long(1024) },
      action: { name: "send_location" },
    }),
  ],
  [
    "template",
    {
      template: {
        name: "still_interested",
        language: { code: "en_US" },
        components: [
          { type: "header", parameters: [{ type: "image", image: { link: LINK } }] },
          { type: "body", parameters: [{ type: "text", text: "Ana" }] },
          {
            type: "button",
            sub_type: "quick_reply",
            index: "0",
            parameters: [{ type: "payload", payload: "yes" }],
          },
        ],
      },
    },
  ],
  ["reaction", { reaction: { message_id: "wamid.x", emoji: "👩‍🔧" } }],
  ["reaction", { reaction: { message_id: "wamid.x", emoji: "" } }],
];

/** What is beyond a limit, and the field that says so. */
export const REFUSED: [string, string, object][] = [
  ["text", "text.body", { text: { body: long(4097) } }],
  ["text", "text.body", { text: { body: "" } }],
  ["image", "image.caption", { image: { link: LINK, caption: long(1025) } }],
  ["image", "image", { image: { link: LINK, id: "10" } }],
  ["image", "image", { image: {} }],
  ["image", "image.link", { image: { link: "ftp://files.example.com/a.jpg" } }],
  ["video", "video.caption", { video: { id: "10", caption: long(1025) } }],
  ["document", "document.caption", { document: { id: "10", caption: long(1025) } }],
  ["audio", "audio.caption", { audio: { id: "10", caption: "a" } }],
  ["sticker", "sticker", { sticker: {} }],
  ["location", "location.latitude", { location: { latitude: 91, longitude: 0 } }],
  ["location", "location.longitude", { location: { latitude: 0, longitude: -181 } }],
  ["contacts", "contacts", { contacts: [] }],
  ["contacts", "contacts", { contacts: Array.from({ length: 258 }, () => contact()) }],
  ["contacts", "contacts.0.name.formatted_name", { contacts: [contact({ name: {} })] }],
  ["contacts", "contacts.0.name", { contacts: [contact({ name: { formatted_name: "Ben" } })] }],
  [
    "contacts",
    "contacts.0.phones.0.phone",
    { contacts: [contact({ phones: [{ type: "WORK" }] })] },
  ],
  [
    "interactive",
    "interactive.action.buttons.0.reply.title",
    withButtons(replyButton("yes", long(21))),
  ],
  [
    "interactive",
    "interactive.action.buttons.0.reply.id",
    withButtons(replyButton(long(257), "Yes")),
  ],
  [
    "interactive",
    "interactive.action.buttons",
    withButtons(...["1", "2", "3", "4"].map((id) => replyButton(id, id))),
  ],
  [
    "interactive",
    "interactive.action.buttons",
    withButtons(replyButton("1", "Yes"), replyButton("1", "No")),
  ],
  [
    "interactive",
    "interactive.action.buttons",
    withButtons(replyButton("1", "Yes"), replyButton("2", "Yes")),
  ],
  ["interactive", "interactive.action.buttons.0.reply.id", withButtons(replyButton("1 ", "Yes"))],
  ["interactive", "interactive.action.buttons", withButtons()],
  [
    "interactive",
    "interactive.body.text",
    interactive({
      type: "button",
      body: { text: long(1025) },
      action: { buttons: [replyButton("1", "Yes")] },
    }),
  ],
  [
    "interactive",
    "interactive.footer.text",
    interactive({
      type: "button",
      body: { text: "When?" },
      footer: { text: long(61) },
      action: { buttons: [replyButton("1", "Yes")] },
    }),
  ],
  [
    "interactive",
    "interactive.header.text",
    interactive({
      type: "button",
      header: { type: "text", text: long(61) },
      body: { text: "When?" },
      action: { buttons: [replyButton("1", "Yes")] },
    }),
  ],
  [
    "interactive",
    "interactive.action.sections",
    withSections({ title: "All", rows: listRows(6) }, { title: "More", rows: listRows(5) }),
  ],
  ["interactive", "interactive.action.sections.0.rows", withSections({ rows: listRows(11) })],
  [
    "interactive",
    "interactive.action.sections",
    withSections({ rows: [listRow("1")] }, { rows: [listRow("2")] }),
  ],
  [
    "interactive",
    "interactive.action.sections",
    withSections({ rows: [listRow("1"), listRow("1")] }),
  ],
  [
    "interactive",
    "interactive.action.sections.0.rows.0.title",
    withSections({ rows: [listRow("1", { title: long(25) })] }),
  ],
  [
    "interactive",
    "interactive.action.sections.0.rows.0.description",
    withSections({ rows: [listRow("1", { description: long(73) })] }),
  ],
  [
    "interactive",
    "interactive.action.sections.0.rows.0.id",
    withSections({ rows: [listRow(long(201))] }),
  ],
  [
    "interactive",
    "interactive.action.sections.0.rows.0.id",
    withSections({ rows: [listRow(" 1")] }),
  ],
  [
    "interactive",
    "interactive.action.sections.0.title",
    withSections({ title: long(25), rows: listRows(1) }),
  ],
  [
    "interactive",
    "interactive.action.button",
    interactive({
      type: "list",
      body: { text: "When?" },
      action: { button: long(21), sections: [{ rows: listRows(1) }] },
    }),
  ],
  [
    "interactive",
    "interactive.body.text",
    interactive({
      type: "list",
      body: { text: long(4097) },
      action: { button: "Times", sections: [{ rows: listRows(1) }] },
    }),
  ],
  [
    "interactive",
    "interactive.action.parameters.display_text",
    withUrl({ display_text: long(21) }),
  ],
  ["interactive", "interactive.action.parameters.url", withUrl({ url: "javascript:alert(1)" })],
  ["interactive", "interactive.action.parameters.flow_cta", withFlow({ flow_cta: long(31) })],
  ["interactive", "interactive.action.parameters.flow_cta", withFlow({ flow_cta: "Start 🔧" })],
  [
    "interactive",
    "interactive.action.parameters.flow_action_payload.data",
    withFlow({ flow_action_payload: { screen: "FIRST", data: {} } }),
  ],
  ["interactive", "interactive.type", interactive({ type: "carousel" })],
  [
    "template",
    "template.name",
    { template: { name: "Still interested?", language: { code: "en" } } },
  ],
  ["template", "template.language", { template: { name: "still_interested" } }],
  ["template", "template.components.0.type", withGap("footer", "Ana")],
  ["template", "template.components.0.parameters", withGap("body")],
  ["template", "template.components.0.parameters", withGap("header", "Ana", "Ben")],
  ...["Ana\nBen", "Ana\tBen", "Ana     Ben"].map((text): [string, string, object] => [
    "template",
    "template.components.0.parameters.0.text",
    withGap("body", text),
  ]),
  ["reaction", "reaction.emoji", { reaction: { message_id: "wamid.x", emoji: "ok" } }],
  ["reaction", "reaction.message_id", { reaction: { emoji: "👍" } }],
  ["mark_read", "mark_read.message_id", { mark_read: {} }],
  ["poll", "type", { poll: { question: "When?" } }],
];
