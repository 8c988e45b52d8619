import type { z } from "zod";

/**
 * What is wrong with a message a person wants to send, field by field: one that is not known is
 * named, and not the object it was found in.
 */
export function contentProblems({ issues }: z.ZodError): { field: string; message: string }[] {
  return issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({
          field: [...issue.path, key].join("."),
          message: "is not a field of this kind of message",
        }))
      : { field: issue.path.join("."), message: issue.message },
  );
}
