import { runGateway } from "@jobrun/backend";
import { announce, required } from "../bench/child.ts";

/** The gateway as it is, on a free port, with the timings of the run. Its environment is the configuration. */
const gateway = await runGateway(process.env, {
  timings: JSON.parse(required("CHAOS_TIMINGS")),
});
announce(gateway.url, () => gateway.stop());
