import { newId } from "@jobrun/db";
import type { RequestHandler } from "express";

/**
 * Answers what no handler of a known path took: 405, and which methods there are.
 *
 * @param allowed such as `GET`, at least one
 */
export function otherMethods(...allowed: [string, ...string[]]): RequestHandler {
  const methods = allowed.join(", ");
  return (_request, response) => {
    const message = `Only ${methods} is possible here`;
    const error = { code: "method_not_allowed", message, requestId: newId() };
    response.status(405).set({ allow: methods, "x-request-id": error.requestId }).json({ error });
  };
}
