/**
 * The child's half of processes.ts: tells the parent where this process listens and, when asked, what
 * memory it uses, and ends it when the parent says so or is gone, however that came about.
 *
 * @param url where it listens
 * @param stop what to finish before the end
 */
export function announce(url: string, stop: () => Promise<void> = async () => {}): void {
  // Ctrl-C reaches the whole foreground group; the parent decides who ends when.
  process.on("SIGINT", () => {});
  process.once("disconnect", () => {
    void stop().finally(() => process.exit(0));
  });
  process.on("message", () => process.send?.(process.memoryUsage()));
  process.send?.({ url });
}

/** A value that the parent gives to every process of a bench. */
export function required(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is missing: this file is started by pnpm bench`);
  return value;
}
