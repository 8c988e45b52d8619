import type { ProcessCounters } from "./evaluate.ts";

/** More than any threshold needs; a flood of forged webhooks must not fill the memory. */
const MAX_TIMES = 1000;
const LONGEST_WINDOW_MS = 15 * 60_000;

/** Counts what goes wrong in this process, for the evaluation. Times are ms since the epoch. */
export class ProcessCounts {
  #signatureFailures: number[] = [];
  #transactionFailures: number[] = [];
  #assistantFailures: number[] = [];
  #assistantAuthFailedAt: number | null = null;

  signatureFailed(now: number): void {
    push(this.#signatureFailures, now);
  }

  transactionFailed(now: number): void {
    push(this.#transactionFailures, now);
  }

  assistantFailed(errorClass: string, now: number): void {
    push(this.#assistantFailures, now);
    if (/auth/i.test(errorClass)) this.#assistantAuthFailedAt = now;
  }

  /** Our credentials were accepted. Other failures count until they leave their window. */
  assistantSucceeded(): void {
    this.#assistantAuthFailedAt = null;
  }

  read(): Omit<ProcessCounters, "openBreakers"> {
    return {
      signatureFailures: this.#signatureFailures,
      transactionFailures: this.#transactionFailures,
      assistantFailures: this.#assistantFailures,
      assistantAuthFailedAt: this.#assistantAuthFailedAt,
    };
  }
}

function push(times: number[], now: number): void {
  times.push(now);
  while (times.length > MAX_TIMES || (times[0] ?? now) < now - LONGEST_WINDOW_MS) times.shift();
}
