import { runGateway } from "@jobrun/backend";
import { announce } from "./child.ts";

/** The gateway as it is, on a free port. Its environment is the configuration. */
const gateway = await runGateway(process.env);
announce(gateway.url, () => gateway.stop());
