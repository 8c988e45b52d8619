const RED = "\u001B[41;97;1m";
const PLAIN = "\u001B[0m";

/** What is printed at start-up, in red, when ALERTS_DISABLED is on. */
export function alertsDisabledBanner(): string {
  const lines = [
    "WARNING: ALERTS ARE GLOBALLY DISABLED",
    "ALERTS_DISABLED=true is set in environment",
    "Operational failures will NOT notify founder",
    "This should NEVER be enabled in production",
  ];
  const width = Math.max(...lines.map((line) => line.length));
  return lines.map((line) => `${RED}  ${line.padEnd(width)}  ${PLAIN}`).join("\n");
}
