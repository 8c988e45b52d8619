import { describe, expect, it } from "@jest/globals";
import type { AssistantContext, AssistantReply } from "./assistant.ts";
import { assistantReplySchema } from "./assistant.ts";
import { scriptedAssistant } from "./scripted-assistant.ts";
import { contextOf, injections } from "./test-context.ts";

const { signal } = new AbortController();

async function replyTo(context: AssistantContext): Promise<AssistantReply> {
  return (await scriptedAssistant().reply(context, signal)).reply;
}

/** Plays the customer's texts one turn at a time, carrying history and job as the gateway does. */
async function conversation(locale: "en" | "fr", ...texts: string[]): Promise<AssistantReply[]> {
  const replies: AssistantReply[] = [];
  const history: AssistantContext["history"] = [];
  let openJob: AssistantContext["openJob"] = null;
  for (const text of texts) {
    const business = { name: "Harbour Plumbing", locale };
    const reply = await replyTo(contextOf(text, { business, history: [...history], openJob }));
    replies.push(reply);
    history.push({ from: "customer", text }, { from: "business", text: reply.text });
    if (reply.job) openJob = { ...reply.job, urgency: reply.urgency };
  }
  return replies;
}

describe("a scripted conversation", () => {
  it("does not take an emergency for the address it asked for", async () => {
    const replies = await conversation("en", "I need a plumber", "There is a smell of gas");
    expect(replies.at(-1)).toMatchObject({ urgency: "emergency", job: { location: null } });
  });

  it("names a job by its first emergency, and keeps that name", async () => {
    const flood = "Water is coming through the ceiling";
    const texts = ["I need a plumber today", flood, "12 Mill Lane", "now there is smoke too"];
    const replies = await conversation("en", ...texts);
    const summaries = replies.map(({ job }) => job?.summary);
    expect(summaries).toEqual(["I need a plumber today", flood, flood, flood]);
  });

  it("asks what, where and when, one question a turn, and keeps the answers", async () => {
    const replies = await conversation(
      "en",
      "Hi",
      "kitchen tap dripping",
      "the blue house by the church",
      "Tuesday after 5pm",
    );
    expect(replies.map(({ text }) => text)).toEqual([
      "Hello, thank you for contacting Harbour Plumbing. What do you need help with?",
      "Thank you, we have noted that. What is the address or postcode?",
      "Thank you, we have noted that. When would you like someone to come?",
      "Thank you. Harbour Plumbing has your request and will get back to you shortly.",
    ]);
    expect(replies.map(({ intent }) => intent)).toEqual([
      "greeting",
      "job_request",
      "job_request",
      "job_request",
    ]);
    expect(replies[3]?.job).toEqual({
      summary: "kitchen tap dripping",
      type: "plumbing",
      location: "the blue house by the church",
      requestedTime: "Tuesday after 5pm",
      customerName: null,
    });
  });

  it("is French for a French business", async () => {
    const replies = await conversation(
      "fr",
      "Bonjour",
      "fuite sous l'évier",
      "69003 Lyon",
      "demain",
    );
    expect(replies.map(({ text }) => text)).toEqual([
      "Bonjour, merci de contacter Harbour Plumbing. De quoi avez-vous besoin ?",
      "Merci, c'est noté. Quelle est l'adresse ou le code postal ?",
      "Merci, c'est noté. Quand souhaitez-vous que l'on passe ?",
      "Merci. Harbour Plumbing a bien votre demande et vous répondra sous peu.",
    ]);
    expect(replies[3]?.job).toMatchObject({ location: "69003 Lyon", requestedTime: "demain" });
  });

  it("asks for nothing that one text already says", async () => {
    const text =
      "Hello, my boiler is noisy at 4 Elm Road LS1 4AB. My name is Alex Doe, can you come tomorrow at 9am?";
    const reply = await replyTo(contextOf(text));
    expect(reply.text).not.toContain("?");
    expect(reply.job).toMatchObject({
      type: "heating",
      location: "4 Elm Road, LS1 4AB",
      requestedTime: "tomorrow, at 9am",
      customerName: "Alex Doe",
    });
    expect(reply.job?.summary).toMatch(/^my boiler is noisy/);
  });

  it("reads all texts of the turn together", async () => {
    const texts = ["Hi", "blocked drain", "SW1A 1AA"].map((text) => ({ text, media: [] }));
    const { job } = await replyTo(contextOf("", { texts }));
    expect(job).toMatchObject({ type: "plumbing", location: "SW1A 1AA" });
    expect(job?.summary).toMatch(/^blocked drain/);
  });

  it("does not take the time since something broke for the time to come", async () => {
    const { job } = await replyTo(contextOf("no hot water since Monday"));
    expect(job?.requestedTime).toBeNull();
  });

  it("keeps an emergency one while the customer answers its questions", async () => {
    const replies = await conversation("en", "I smell gas", "12 Mill Lane");
    expect(replies.map(({ urgency }) => urgency)).toEqual(["emergency", "emergency"]);
    expect(replies[1]?.text).not.toContain("When");
  });
});

describe("danger", () => {
  it.each<["en" | "fr", string, string]>([
    ["en", "I smell gas in the kitchen", "leave now and call the emergency services"],
    ["en", "carbon monoxide alarm going off", "leave now and call the emergency services"],
    ["en", "the fuse box is on fire, please cancel my booking", "leave now and call"],
    ["fr", "Ça sent le gaz !", "sortez tout de suite et appelez les secours"],
    ["fr", "il y a de la fumée qui sort du tableau", "sortez tout de suite"],
  ])("is answered with the safety advice first, %s: %s", async (locale, text, advice) => {
    const reply = await replyTo(contextOf(text, { business: { name: "Harbour", locale } }));
    expect(reply.text.split(".")[0]).toContain(advice);
    expect(reply).toMatchObject({ urgency: "emergency", intent: "job_request" });
  });

  it("is not claimed for an emergency that threatens nobody's life", async () => {
    const reply = await replyTo(contextOf("burst pipe, water everywhere"));
    expect(reply.text).toMatch(/^This sounds urgent/);
  });
});

describe("an unusual text gets a sensible reply", () => {
  const photo = [{ text: "", media: [{ contentType: "image/jpeg" }] }];
  it.each<[string, AssistantContext, Partial<AssistantReply>, RegExp]>([
    [
      "a picture without text",
      contextOf("", { texts: photo }),
      { job: null },
      /^Thank you for the picture/,
    ],
    ["nothing at all", contextOf("  "), { job: null }, /What do you need help with\?$/],
    ["an emoji", contextOf("👍"), { intent: "other", job: null }, /What do you need help with\?$/],
    ["punctuation", contextOf("???"), { job: null }, /What do you need help with\?$/],
    [
      "German",
      contextOf("Mein Abfluss ist verstopft"),
      { intent: "job_request" },
      /address or postcode\?$/,
    ],
    [
      "Japanese",
      contextOf("水漏れしています"),
      { intent: "job_request" },
      /address or postcode\?$/,
    ],
    [
      "1,600 characters",
      contextOf("long story ".repeat(145)),
      { intent: "job_request" },
      /postcode\?$/,
    ],
    [
      "1,600 letters without a space",
      contextOf("x".repeat(1600)),
      { intent: "job_request" },
      /\?$/,
    ],
    ["thanks", contextOf("ok thanks mate!"), { intent: "other" }, /^You're welcome/],
    [
      "a question",
      contextOf("Do you cover Croydon?"),
      { intent: "question", needsHuman: true },
      /^Thank you for asking/,
    ],
    [
      "a complaint",
      contextOf("you never turned up"),
      { intent: "complaint", needsHuman: true },
      /sorry/,
    ],
    [
      "a cancellation",
      contextOf("please cancel"),
      { intent: "cancellation", needsHuman: true },
      /cancel/,
    ],
    [
      "a wish for a person",
      contextOf("can I speak to someone"),
      { needsHuman: true },
      /personally/,
    ],
  ])("%s", async (_, context, expected, text) => {
    const reply = await replyTo(context);
    expect(reply).toMatchObject(expected);
    expect(reply.text).toMatch(text);
    expect(reply.text.length).toBeLessThanOrEqual(480);
    expect(assistantReplySchema.parse(reply)).toEqual(reply);
  });

  it.each(injections)("injection: %s", async (text) => {
    const reply = await replyTo(contextOf(text));
    expect(reply.text).toBe(
      "We can only help with the work of Harbour Plumbing here. What do you need help with?",
    );
    expect(reply.job).toBeNull();
  });

  it("never longer than 480 characters, also for a very long business name", async () => {
    const business = { name: "Müller & Söhne <24h> ".repeat(30), locale: "fr" as const };
    const { text } = await replyTo(contextOf("Ça sent le gaz", { business }));
    expect(text.length).toBeLessThanOrEqual(480);
    expect(text).toMatch(/code postal \?$/);
  });
});

it("uses no model: no tokens, and no attempt is observed", async () => {
  const seen: string[] = [];
  const { usage } = await scriptedAssistant().reply(contextOf("Hi"), signal, {
    started: () => seen.push("started"),
    completed: () => seen.push("completed"),
    failed: () => seen.push("failed"),
  });
  expect(usage).toEqual({ tokensIn: 0, tokensOut: 0 });
  expect(seen).toEqual([]);
});
