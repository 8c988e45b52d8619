/**
 * Waits for `work` no longer than `timeoutMs` and no longer than `signal` allows. The SDK takes no
 * signal and its own time limit is one of silence. Work that lost the race goes on unobserved.
 *
 * @returns the result of the work, or what interrupted it.
 * @throws what the work throws.
 */
export async function within<T>(
  work: Promise<T>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<T | Interrupted> {
  // A plain timer: an aborted promise timer would build an exception for every request.
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const interrupted = new Promise<Interrupted>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, new Interrupted("timeout"));
    onAbort = () => resolve(new Interrupted("aborted"));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
  });
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    clearTimeout(timer);
    if (onAbort) signal.removeEventListener("abort", onAbort);
  }
}

/** Stands in for the result of work that nobody waited for. */
export class Interrupted {
  readonly by: "timeout" | "aborted";

  constructor(by: "timeout" | "aborted") {
    this.by = by;
  }
}
