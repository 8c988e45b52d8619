import { z } from "zod";
import {
  contentKind,
  type ContentKind,
  flag,
  idOf,
  labelled,
  webLink,
  words,
} from "./content-words.ts";

const CAPTION = 1024;
const caption = words(CAPTION).optional();
const filename = words(240).optional();

const source = { id: idOf("file").optional(), link: webLink.optional() };
const oneSource = ({ id, link }: { id?: unknown; link?: unknown }) =>
  (id === undefined) !== (link === undefined);
const ONE_SOURCE = "must have exactly one of id and link";

/** A file in the header of an interactive message. */
export const headerFile = z.strictObject({ ...source }).refine(oneSource, ONE_SOURCE);
export const headerDocument = z.strictObject({ ...source, filename }).refine(oneSource, ONE_SOURCE);

const withCaption = z.strictObject({ ...source, caption }).refine(oneSource, ONE_SOURCE);
const document = z.strictObject({ ...source, caption, filename }).refine(oneSource, ONE_SOURCE);
const audio = z.strictObject({ ...source, voice: flag.optional() }).refine(oneSource, ONE_SOURCE);
const sticker = z.strictObject({ ...source }).refine(oneSource, ONE_SOURCE);

/**
 * Files, each by Meta's id of it or by a link Meta fetches. Their sizes and formats are Meta's to
 * check: neither an id nor a link tells them.
 */
export const mediaKinds: Record<string, ContentKind> = {
  image: contentKind({ schema: withCaption, inWords: (image) => labelled("image", image.caption) }),
  video: contentKind({ schema: withCaption, inWords: (video) => labelled("video", video.caption) }),
  audio: contentKind({
    schema: audio,
    inWords: ({ voice }) => labelled(voice === true ? "voice message" : "audio", undefined),
  }),
  document: contentKind({
    schema: document,
    inWords: (file) =>
      labelled(["document", file.filename].filter((word) => word).join(" "), file.caption),
  }),
  sticker: contentKind({ schema: sticker, inWords: () => labelled("sticker", undefined) }),
};
