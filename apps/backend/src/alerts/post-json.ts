import pRetry, { AbortError } from "p-retry";

const TIMEOUT_MS = 5_000;
const RETRIES = 2;
const FIRST_RETRY_MS = 250;

/**
 * Posts JSON to a service that tells the founder. Three attempts of 5 s; a 4xx other than 408 and 429
 * is not tried again.
 *
 * @throws when no attempt was answered by a 2xx; the message names neither address nor key
 */
export async function postJson(url: string, service: string, body: object): Promise<void> {
  const json = JSON.stringify(body);
  await pRetry(() => post(url, service, json), { retries: RETRIES, minTimeout: FIRST_RETRY_MS });
}

async function post(url: string, service: string, body: string): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((cause: unknown) => {
    throw new Error(`${service} did not answer`, { cause });
  });
  await response.body?.cancel();
  if (response.ok) return;
  const refused = new Error(`${service} answered ${response.status}`);
  const isFinal = response.status < 500 && response.status !== 408 && response.status !== 429;
  throw isFinal ? new AbortError(refused) : refused;
}
