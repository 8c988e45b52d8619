/** The languages that people are written to in. */
export type Locale = "en" | "fr";

/** The language of a tenant, as its row names it. */
export function localeOf(value: string): Locale {
  return value === "fr" ? "fr" : "en";
}

/** One thing to say, in every language. `{name}` stands for a value. */
export type Texts = Record<string, Record<Locale, string>>;

/** The names in braces of a text: of "Call {business} on {phone}", `"business" | "phone"`. */
export type Placeholder<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholder<Rest>
  : never;

/**
 * Puts the values in. The compiler refuses a missing one, so no person is ever sent "{phone}"; a
 * value is taken as it is, also when it has braces or a "$" in it.
 *
 * @param text a text known to the compiler, of `as const` texts
 * @throws when the compiler was overruled and a value is missing
 */
export function fill<const Text extends string>(
  text: string extends Text ? never : Text,
  values: Record<Placeholder<Text>, string | number>,
): string {
  return text.replace(/\{(\w+)\}/g, (_, name: Placeholder<Text>) => {
    const value: string | number | undefined = values[name];
    if (value === undefined) throw new Error(`no value for {${name}}`);
    return String(value);
  });
}
