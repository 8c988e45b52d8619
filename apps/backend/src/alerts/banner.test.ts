import { expect, it } from "@jest/globals";
import { alertsDisabledBanner } from "./banner.ts";

it("the banner of ALERTS_DISABLED says in red what it costs", () => {
  const banner = alertsDisabledBanner();
  expect(banner).toContain("\u001B[41");
  for (const line of [
    "WARNING: ALERTS ARE GLOBALLY DISABLED",
    "ALERTS_DISABLED=true is set in environment",
    "Operational failures will NOT notify founder",
    "This should NEVER be enabled in production",
  ]) {
    expect(banner).toContain(line);
  }
});
