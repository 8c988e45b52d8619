import { AdminError } from "./admin-error.ts";
import type { Context } from "./route.ts";
import type { ReengagementTemplate } from "./tenant-fields.ts";

const FIELD = "reengagementTemplate";

/**
 * Checks a tenant's template as the channel will that sends it: one on which free-form messages go
 * for some time only.
 *
 * @throws AdminError invalid, naming the fields
 */
export function checkTemplate(
  { deps: { channels } }: Context,
  template: ReengagementTemplate | null,
): void {
  if (template === null) return;
  const channel = [...channels.values()].find(({ windowMs }) => windowMs !== undefined);
  const { name, language, components } = template;
  const read = channel?.readContent({
    type: "template",
    template: { name, language: { code: language }, ...(components && { components }) },
  });
  if (read?.ok) return;
  const problems = read?.problems ?? [{ field: "", message: "no channel needs one here" }];
  throw new AdminError(
    "invalid",
    "The request is not valid",
    problems.map(({ field, message }) => ({ field: fieldOf(field), message })),
  );
}

/** `template.language.code` of the channel is `reengagementTemplate.language` here. */
function fieldOf(path: string): string {
  const [, field, ...deeper] = path.split(".");
  if (field === undefined) return FIELD;
  return [FIELD, field, ...(field === "language" ? [] : deeper)].join(".");
}
