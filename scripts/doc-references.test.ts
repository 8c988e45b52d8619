import { describe, expect, it } from "@jest/globals";
import { brokenReferences } from "./doc-references.ts";

const check = (text: string) =>
  brokenReferences({ path: "docs/x.md", text }, (path) => path === "scripts/start.ts", ["start"]);

describe("references in documents", () => {
  it("are kept by what exists", () => {
    const text =
      "`scripts/start.ts`, `scripts/start.ts#L3`, [start](../scripts/start.ts), `pnpm start`";
    expect(check(text)).toEqual([]);
  });

  it.each([
    "See `scripts/gone.ts`.",
    "See [it](gone.md).",
    "Run `pnpm gone`.",
    "Run `npm run gone -- x`.",
    "```\npnpm gone\n```",
  ])("are broken in: %s", (text) => {
    expect(check(text)).toHaveLength(1);
  });

  it("are not addresses, patterns or prose", () => {
    expect(check("[x](https://example.com/a) `docs/*.md` a pnpm workspace")).toEqual([]);
  });
});
