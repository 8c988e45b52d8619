import { z } from "zod";
import { contentKind, type ContentKind, flag, HAS_EMOJI, idOf, labelled } from "./content-words.ts";
import { reading } from "./show-reading.ts";

const EMOJI = "must be one emoji, or empty to take it back";
const reaction = z.strictObject({
  message_id: idOf("message"),
  emoji: z
    .string(EMOJI)
    .max(64, EMOJI)
    .refine((emoji) => emoji === "" || isOneEmoji(emoji), EMOJI),
});

/** As Meta writes it, or with `typing` for short. */
const markRead = z.strictObject({
  message_id: idOf("message"),
  status: z.literal("read").optional(),
  typing: flag.optional(),
  typing_indicator: z.strictObject({ type: z.literal("text") }).optional(),
});
const showsTyping = ({ typing, typing_indicator: shown }: z.output<typeof markRead>) =>
  typing === true || shown !== undefined;

/** What is said about a message of the customer's, and is none itself. */
export const signalKinds: Record<string, ContentKind> = {
  reaction: contentKind({
    schema: reaction,
    standsAlone: true,
    inWords: ({ emoji }) => labelled("reaction", emoji === "" ? "removed" : emoji),
  }),
  mark_read: contentKind({
    schema: markRead,
    standsAlone: true,
    payload: (mark) => reading(mark.message_id, showsTyping(mark)),
    inWords: (mark) => labelled(showsTyping(mark) ? "read, typing" : "read", undefined),
  }),
};

/** What a reader sees as one character. */
function isOneEmoji(text: string): boolean {
  const characters = [...new Intl.Segmenter().segment(text)];
  return characters.length === 1 && HAS_EMOJI.test(text);
}
