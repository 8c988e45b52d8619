/** The HTTP status of each code, once. */
const statuses = {
  invalid: 400,
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  unsupported: 415,
  internal: 500,
  not_configured: 503,
} as const;

export type AdminErrorCode = keyof typeof statuses;

/** What is wrong with one field. `field` is its path, such as `text.body`. */
export interface Detail {
  field: string;
  message: string;
}

/** A refusal that whoever asked may read. Thrown inside a transaction, it also undoes that. */
export class AdminError extends Error {
  override readonly name = "AdminError";
  readonly code: AdminErrorCode;
  readonly details: Detail[];
  constructor(code: AdminErrorCode, message: string, details: Detail[] = []) {
    super(message);
    this.code = code;
    this.details = details;
  }
  get status(): number {
    return statuses[this.code];
  }
}

/** The same words whether it is somebody else's or nobody's: an answer tells nothing about others. */
export function notFound(what: string): AdminError {
  return new AdminError("not_found", `No such ${what}`);
}

/** Turns whatever was thrown into what may be said about it: nothing, unless it was said on purpose. */
export function adminError(error: unknown): AdminError {
  if (error instanceof AdminError) return error;
  // body-parser's errors carry a status: https://www.npmjs.com/package/body-parser#errors
  const status = error instanceof Error && "status" in error ? error.status : null;
  if (status === 413) return new AdminError("too_large", "The body is too large");
  if (status === 415) return new AdminError("unsupported", "This encoding is not supported");
  if (typeof status === "number" && status >= 400 && status < 500)
    return new AdminError("bad_request", "The body is not valid JSON");
  return new AdminError("internal", "The request could not be processed");
}
