import { z } from "zod";

const MOST = 100;
const USUAL = 50;
const limit = z.coerce.number().int().min(1).max(MOST).default(USUAL);
const NOT_OURS = "is not a cursor of this list";

/** The query of a list: how many at most, and after which one. */
function pageQuery<S extends z.ZodType<string, string>>(key: S) {
  const cursor = z
    .string()
    .transform((text) => Buffer.from(text, "base64url").toString())
    .pipe(key)
    .optional();
  return { cursor, limit };
}

/** Of lists in the order of ids, newest first: ids are UUID v7. */
export const pageById = pageQuery(z.guid(NOT_OURS));
/** Of lists in the order of commits, newest first. */
export const pageByPosition = pageQuery(z.string().regex(/^\d{1,18}$/, NOT_OURS));

export function listOf<S extends z.ZodType>(item: S) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: "null on the last page" }),
  });
}

/** @param rows one more than `most`, if there are more */
export function toPage<Row>(rows: Row[], most: number, keyOf: (row: Row) => string) {
  const items = rows.slice(0, most);
  const last = items.at(-1);
  const more = rows.length > most && last !== undefined;
  return { items, nextCursor: more ? Buffer.from(keyOf(last)).toString("base64url") : null };
}
