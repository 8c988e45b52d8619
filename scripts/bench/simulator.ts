import { startSimulator } from "@jobrun/simulator";
import { announce, required } from "./child.ts";

/** The doubles of Twilio, of Meta and of the model. */
const simulator = await startSimulator({
  accountSid: required("TWILIO_ACCOUNT_SID"),
  authToken: required("TWILIO_AUTH_TOKEN"),
  openaiKey: required("OPENAI_API_KEY"),
  whatsApp: {
    appSecret: required("WHATSAPP_APP_SECRET"),
    accessToken: required("WHATSAPP_ACCESS_TOKEN"),
    verifyToken: required("WHATSAPP_VERIFY_TOKEN"),
    // People write to the gateway without it.
    windowsStayOpen: true,
  },
});
announce(simulator.url, () => simulator.close());
