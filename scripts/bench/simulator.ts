import { startSimulator } from "@jobrun/simulator";
import { announce, required } from "./child.ts";

/** The doubles of Twilio and of the model. */
const simulator = await startSimulator({
  accountSid: required("TWILIO_ACCOUNT_SID"),
  authToken: required("TWILIO_AUTH_TOKEN"),
  openaiKey: required("OPENAI_API_KEY"),
});
announce(simulator.url, () => simulator.close());
