import { customerTexts } from "../texts/customer-texts.ts";
import { fill } from "../texts/fill.ts";
import type { FoundCallee } from "./handle-call-report.ts";
import { sayAndHangUp } from "./voice-twiml.ts";

/** What a caller hears when nobody takes the call, as TwiML. Null: nothing is known of the called number. */
export function spokenNotice(callee: FoundCallee | null): string {
  switch (callee?.role) {
    case "OPERATIONAL": {
      const { name, locale } = callee.tenant;
      return sayAndHangUp(fill(customerTexts.spokenNotice[locale], { business: name }), locale);
    }
    case "ONBOARDING":
      return sayAndHangUp(customerTexts.spokenOnboarding.en, "en");
    case "SYSTEM":
    case undefined:
      return sayAndHangUp(customerTexts.spokenSystem.en, "en");
  }
}
