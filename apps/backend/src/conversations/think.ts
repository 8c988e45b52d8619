import { AssistantError, type Assistant, type AssistantReply } from "../assistant/assistant.ts";
import type { InboundDeps } from "./handle-inbound.ts";
import type { StoredText, View } from "./prepare.ts";

interface Question {
  view: View;
  /** What this turn answers, oldest first. */
  said: StoredText[];
  scripted: boolean;
  trace: {
    requestId: string;
    tenantId: string;
    conversationId: string | undefined;
    providerMessageId: string;
  };
  signal: AbortSignal;
}

interface Thought {
  reply: AssistantReply;
  /** What the model took for it, in and out */
  tokens: number;
}

/**
 * THINK: asks the assistant. No transaction is open meanwhile.
 *
 * @throws AssistantError unless failures are to be answered by script
 */
export async function think(deps: InboundDeps, question: Question): Promise<Thought> {
  if (question.scripted || deps.assistant.provider === "scripted")
    return ask(deps, deps.scripted, question);
  try {
    const thought = await ask(deps, deps.assistant, question);
    deps.alerts.recordAssistantSuccess();
    return thought;
  } catch (error) {
    if (!(error instanceof AssistantError)) throw error;
    deps.alerts.recordAssistantFailure(error.errorClass);
    if (deps.onAssistantFailure === "retry") throw error;
    return ask(deps, deps.scripted, question);
  }
}

async function ask(
  deps: InboundDeps,
  assistant: Assistant,
  { view, said, trace, signal }: Question,
): Promise<Thought> {
  const { reply, usage } = await assistant.reply(
    {
      business: { name: view.tenant.name, locale: view.tenant.locale },
      history: view.history.map(({ direction, body }) => ({
        from: direction === "INBOUND" ? "customer" : "business",
        text: body,
      })),
      texts: said.map(({ body, media }) => ({ text: body, media })),
      openJob: view.openJob,
    },
    signal,
    {
      started: () => deps.events.emit("llm_request", trace),
      completed: (info) => {
        deps.metrics.llmRequests.inc({ outcome: "completed" });
        deps.metrics.llmDuration.observe(info.durationMs / 1000);
        deps.events.emit("llm_request_completed", { ...trace, ...info });
      },
      failed: (info) => {
        deps.metrics.llmRequests.inc({ outcome: info.errorClass });
        deps.events.emit("llm_error", { ...trace, ...info });
      },
    },
  );
  return { reply, tokens: usage.tokensIn + usage.tokensOut };
}
