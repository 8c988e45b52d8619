import { z } from "zod";
import { contentKind, type ContentKind, labelled, listOf, words } from "./content-words.ts";

/** Degrees within ±`most`. */
function degrees(most: number): z.ZodNumber {
  const error = `must be a number from -${most} to ${most}`;
  return z.number(error).min(-most, error).max(most, error);
}

/** A place. */
export const location = z.strictObject({
  latitude: degrees(90),
  longitude: degrees(180),
  name: words().optional(),
  address: words().optional(),
});

const MOST_CONTACTS = 257;
const detail = words().optional();
const several = <T extends z.ZodType>(entry: T) => listOf(entry, { max: 100 }).optional();
const contact = z.strictObject({
  name: z
    .strictObject({
      formatted_name: words(),
      first_name: detail,
      last_name: detail,
      middle_name: detail,
      suffix: detail,
      prefix: detail,
    })
    .refine((name) => Object.keys(name).some((part) => part !== "formatted_name"), {
      error: "must have a part, such as first_name, besides formatted_name",
    }),
  birthday: z.iso.date("must be a day such as 1999-12-31").optional(),
  org: z.strictObject({ company: detail, department: detail, title: detail }).optional(),
  phones: several(z.strictObject({ phone: words(), type: detail, wa_id: detail })),
  emails: several(z.strictObject({ email: words(), type: detail })),
  urls: several(z.strictObject({ url: words(), type: detail })),
  addresses: several(
    z.strictObject({
      street: detail,
      city: detail,
      state: detail,
      zip: detail,
      country: detail,
      country_code: detail,
      type: detail,
    }),
  ),
});

/** Places and people. */
export const peopleKinds: Record<string, ContentKind> = {
  location: contentKind({
    schema: location,
    inWords: ({ name, address, latitude, longitude }) => {
      const named = [name, address].filter((part) => part !== undefined).join(", ");
      return labelled("location", named === "" ? `${latitude}, ${longitude}` : named);
    },
  }),
  contacts: contentKind({
    schema: listOf(contact, { max: MOST_CONTACTS }),
    inWords: (contacts) =>
      labelled("contacts", contacts.map(({ name }) => name.formatted_name).join(", ")),
  }),
};
