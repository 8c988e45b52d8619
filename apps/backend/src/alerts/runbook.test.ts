import { readFile } from "node:fs/promises";
import { expect, it } from "@jest/globals";
import { alertTypes } from "./alert-types.ts";

it("docs/runbook.md has one entry per alert type, and no other", async () => {
  const runbook = await readFile(new URL("../../../../docs/runbook.md", import.meta.url), "utf8");
  const entries = [...runbook.matchAll(/^### ([A-Z_]+)$/gm)].map((match) => match[1]);
  expect(entries.toSorted()).toEqual(Object.keys(alertTypes).toSorted());
});
