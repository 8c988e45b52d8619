import { expect, it } from "@jest/globals";
import { RecentKeys } from "./recent-keys.ts";

it("a key is held once, until its life is over", () => {
  let now = 1_000;
  const recent = new RecentKeys(() => now);
  expect(recent.add("a", 100)).toBe(true);
  expect(recent.add("a", 100)).toBe(false);
  expect(recent.has("a")).toBe(true);
  now += 100;
  expect(recent.has("a")).toBe(false);
  expect(recent.add("a", 100)).toBe(true);
});

it("a deleted key is free at once", () => {
  const recent = new RecentKeys(() => 0);
  recent.add("a", 100);
  recent.delete("a");
  expect(recent.add("a", 100)).toBe(true);
});

it("past its size the oldest keys go, so that no flood of calls fills the memory", () => {
  const recent = new RecentKeys(() => 0, 3);
  for (const key of ["a", "b", "c", "d"]) recent.add(key, 100);
  expect(["a", "b", "c", "d"].map((key) => recent.has(key))).toEqual([false, true, true, true]);
});
