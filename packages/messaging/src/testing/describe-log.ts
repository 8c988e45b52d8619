import { afterEach, describe, expect, it } from "@jest/globals";
import type { LogResult, ProviderLog } from "../channel.ts";
import type { ChannelAgainstDouble } from "./describe-channel.ts";

/** How a provider answers questions to its log. */
export type LogBehaviour =
  | "has nothing"
  | "tells all on one page"
  | "tells all over several pages"
  | "fails at a later page"
  | "refuses the account"
  | "limits the rate"
  | "is not there"
  | "resets after reading"
  | "never answers"
  | "answers unreadably";

/** What a provider's log holds, and how it is asked. */
export interface LogFixtures {
  asked: { from: string; to: string; body: string; since: Date };
  /** The provider's ids in the log of what was asked for, oldest first; two or more. */
  accepted: string[];
  /** The provider's ids of the inbound messages since then, oldest first; two or more. */
  received: string[];
  against(behaviour: LogBehaviour): Promise<ChannelAgainstDouble>;
}

const FAILURES: LogBehaviour[] = [
  "fails at a later page",
  "refuses the account",
  "limits the rate",
  "is not there",
  "resets after reading",
  "never answers",
  "answers unreadably",
];
/** One complete answer is one request, or two where the provider has to be asked two ways. */
const MOST_REQUESTS_OF_A_FAILURE = 2;

/** The part of a channel's conformance suite about `Channel.log`. */
export function describeLog({ asked, accepted, received, against }: LogFixtures): void {
  let double: ChannelAgainstDouble | undefined;
  afterEach(async () => {
    await double?.close();
    double = undefined;
  });
  const open = async (behaviour: LogBehaviour) => {
    double = await against(behaviour);
    const { channel, requestCount } = double;
    if (!channel.log) throw new Error(`the ${channel.name} channel has no log`);
    return { log: channel.log, requestCount };
  };
  const questions: [
    string,
    (log: ProviderLog, signal: AbortSignal) => Promise<Answer>,
    string[],
  ][] = [
    ["accepted", (log, signal) => log.accepted(asked, signal), accepted],
    ["received", (log, signal) => log.received(asked.since, signal), received],
  ];

  describe.each(questions)("its log, asked what it has %s", (_name, ask, expected) => {
    const never = new AbortController().signal;

    it.each<LogBehaviour>(["tells all on one page", "tells all over several pages"])(
      "is complete and oldest first when the provider %s",
      async (behaviour) => {
        const { log } = await open(behaviour);
        const answer = await ask(log, never);
        expect(answer.kind === "complete" && answer.found.map(idOf)).toEqual(expected);
      },
    );

    it("is complete when there is nothing", async () => {
      const { log } = await open("has nothing");
      expect(await ask(log, never)).toEqual({ kind: "complete", found: [] });
    });

    it.each(FAILURES)(
      "knows nothing, and does not ask again, when the provider %s",
      async (behaviour) => {
        const { log, requestCount } = await open(behaviour);
        expect(await ask(log, never)).toEqual({ kind: "failed", code: expect.any(String) });
        expect(requestCount()).toBeLessThanOrEqual(MOST_REQUESTS_OF_A_FAILURE);
      },
    );

    it("asks nobody when it was aborted before", async () => {
      const { log, requestCount } = await open("tells all on one page");
      expect(await ask(log, AbortSignal.abort())).toEqual({ kind: "failed", code: "aborted" });
      // A stray request would be late; the next two questions, one like the other, tell of it.
      await ask(log, never);
      const once = requestCount();
      await ask(log, never);
      expect(requestCount()).toBe(2 * once);
    });

    it("knows nothing when it was aborted on its way", async () => {
      const { log } = await open("never answers");
      const abort = new AbortController();
      const answer = ask(log, abort.signal);
      abort.abort();
      expect(await answer).toEqual({ kind: "failed", code: "aborted" });
    });
  });
}

type Answer = LogResult<string | { providerMessageId: string }>;

function idOf(found: string | { providerMessageId: string }): string {
  return typeof found === "string" ? found : found.providerMessageId;
}
