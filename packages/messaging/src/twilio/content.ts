import { z } from "zod";
import type { Channel } from "../channel.ts";
import { contentProblems } from "../content-problems.ts";
import { prepareSmsText } from "../sms-text.ts";

const words = z.strictObject({
  type: z.literal("text", { error: "this channel sends text only" }),
  text: z.strictObject({
    body: z
      .string()
      .refine((body) => prepareSmsText(body).text.trim() !== "", "must not be empty")
      .refine((body) => !wouldBeCut(body), "must fit into 3 SMS segments"),
  }),
});

/** SMS carries words, up to 3 segments of them. */
export const readSmsContent: Channel["readContent"] = (input) => {
  const result = words.safeParse(input);
  if (!result.success) {
    return { ok: false, problems: contentProblems(result.error) };
  }
  const { text: body, segments } = prepareSmsText(result.data.text.body);
  return { ok: true, content: { type: "text", body, segments } };
};

/** A text that is cut ends in dots of ours; its own are no loss. */
function wouldBeCut(body: string): boolean {
  return prepareSmsText(body.replace(/[\s.…]+$/u, "")).text.endsWith("...");
}
