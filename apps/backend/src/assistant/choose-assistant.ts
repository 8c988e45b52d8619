import type { Assistant } from "./assistant.ts";
import { openaiAssistant } from "./openai-assistant.ts";
import { scriptedAssistant } from "./scripted-assistant.ts";
import { withUrgencyNet } from "./urgency.ts";

export interface ChosenAssistant {
  assistant: Assistant;
  /** Also for tenants who want no model. */
  scripted: Assistant;
  /** Class of the last failure, null when the last request succeeded; for /health. */
  lastError(): string | null;
}

/** @param options of OpenAI or an endpoint like it; without any, everybody gets the script. */
export function chooseAssistant(
  options: Parameters<typeof openaiAssistant>[0] | null,
): ChosenAssistant {
  const scripted = withUrgencyNet(scriptedAssistant());
  if (options === null) return { assistant: scripted, scripted, lastError: () => null };
  const openai = withUrgencyNet(openaiAssistant(options));
  let last: string | null = null;
  return {
    assistant: {
      provider: openai.provider,
      reply: (context, signal, observer) =>
        openai.reply(context, signal, {
          started: () => observer?.started(),
          completed: (info) => {
            last = null;
            observer?.completed(info);
          },
          failed: (info) => {
            last = info.errorClass;
            observer?.failed(info);
          },
        }),
    },
    scripted,
    lastError: () => last,
  };
}
