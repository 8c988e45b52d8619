import { type ControlName, controls } from "./controls.ts";
import type { ChaosResult } from "./run.ts";
import { type CheckName, checks } from "./verify.ts";

const EXAMPLES = 3;
const LABEL_WIDTH = 28;

/** What happened and what was found, for a person. A control's run is cut short, so only its own check says anything. */
export function table({ figures, findings }: ChaosResult, control: ControlName | null): string {
  const happened = figures.map(([what, value]) => `  ${what.padEnd(LABEL_WIDTH)}${value}`);
  const shown = Object.entries(checks).filter(
    ([name]) => control === null || name === controls[control].breaks,
  );
  const found = shown.map(([name, meaning]) => {
    const ids = findings[name as CheckName];
    const examples = ids.length === 0 ? "" : `: ${ids.slice(0, EXAMPLES).join(", ")}`;
    return `  ${ids.length === 0 ? "PASS" : "FAIL"}  ${name.padEnd(12)}${String(ids.length).padStart(5)}  ${meaning}${examples}`;
  });
  return [...happened, "", ...found].join("\n");
}

/** Whether the run shows what it should: nothing found, or, of a control, that its check fails. */
export function succeeded({ findings }: ChaosResult, control: ControlName | null): boolean {
  if (control !== null) return findings[controls[control].breaks].length > 0;
  return Object.values(findings).every((ids) => ids.length === 0);
}
