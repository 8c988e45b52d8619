import { readFile } from "node:fs/promises";
import { expect, it } from "@jest/globals";
import { eventsDocPath, eventsDocument } from "./events-doc.ts";

it("docs/events.md is what the registry of events says", async () => {
  expect(await readFile(eventsDocPath, "utf8")).toBe(eventsDocument());
});
