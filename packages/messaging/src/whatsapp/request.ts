/** Why a request was given up. */
export class Interrupted extends Error {
  readonly by: "timeout" | "aborted";

  constructor(by: "timeout" | "aborted") {
    super(by);
    this.by = by;
  }
}

/**
 * One request that follows no redirect, which would carry our credentials elsewhere, and its answer
 * as `read` makes it, all within a time limit.
 *
 * @throws Interrupted when the time is up or the signal is aborted
 * @throws what fetch or `read` throws
 */
export async function request<T>(
  url: string | URL,
  init: { method?: string; headers: Record<string, string>; body?: string },
  limits: { timeoutMs: number; signal: AbortSignal },
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const { timeoutMs, signal } = limits;
  const controller = new AbortController();
  let interrupted: Interrupted | undefined;
  const interrupt = (by: Interrupted["by"]) => {
    interrupted ??= new Interrupted(by);
    controller.abort(interrupted);
  };
  // A plain timer and listener: combined signals would stay on one that lives as long as the process.
  const timer = setTimeout(interrupt, timeoutMs, "timeout");
  const onAbort = () => interrupt("aborted");
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort);
  try {
    return await read(await fetch(url, { ...init, redirect: "manual", signal: controller.signal }));
  } catch (error) {
    throw interrupted ?? error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
