import { describe, expect, it } from "@jest/globals";
import { outcomeOfFailure, parseRetryAfter } from "./http-failure.ts";

const errorWith = (more: object) => Object.assign(new Error("failed"), more);
/** What went wrong, as fetch and as axios report it. */
const REPORTS: [string, (cause: object) => Error][] = [
  ["fetch", (cause) => new TypeError("fetch failed", { cause: errorWith(cause) })],
  ["axios", (cause) => errorWith({ ...cause, cause: errorWith(cause) })],
];

describe.each(REPORTS)("a request of %s without an answer", (_client, failed) => {
  it.each([
    { code: "UND_ERR_CONNECT_TIMEOUT" },
    { code: "ECONNREFUSED", syscall: "connect" },
    { code: "ETIMEDOUT", syscall: "connect" },
    { code: "EHOSTUNREACH", syscall: "connect" },
    { code: "EAI_AGAIN", syscall: "getaddrinfo" },
    { code: "ECONNREFUSED" },
    { code: "ENOTFOUND" },
    { code: "CERT_HAS_EXPIRED" },
    { code: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    { code: "ERR_TLS_CERT_ALTNAME_INVALID" },
    { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" },
  ])("was never made: %j", (cause) => {
    expect(outcomeOfFailure(failed(cause))).toEqual({
      kind: "unavailable",
      code: cause.code.toLowerCase(),
    });
  });

  it.each([
    "Client network socket disconnected before secure TLS connection was established",
    "write EPROTO 1:error:0A00010B:SSL routines:ssl3_get_record:wrong version number",
  ])("was never made: %s", (message) => {
    const outcome = { kind: "unavailable", code: "eproto" };
    expect(outcomeOfFailure(failed({ message, code: "EPROTO" }))).toEqual(outcome);
    expect(outcomeOfFailure(failed({ message }))).toEqual({ ...outcome, code: "no-connection" });
  });

  it("was never made when none of several addresses could be reached", () => {
    const code = "ENETUNREACH";
    const errors = [errorWith({ code, syscall: "connect" }), errorWith({ code })];
    const outcome = { kind: "unavailable", code: "enetunreach" };
    expect(outcomeOfFailure(failed({ code, errors }))).toEqual(outcome);
  });

  it.each([
    [{ code: "UND_ERR_SOCKET" }, "reset"],
    [{ code: "ECONNRESET", syscall: "read" }, "reset"],
    [{ code: "EPIPE", syscall: "write" }, "reset"],
    [{ code: "EHOSTUNREACH", syscall: "read" }, "no-answer"],
    [{ code: "ETIMEDOUT", syscall: "read" }, "timeout"],
    [{ code: "UND_ERR_HEADERS_TIMEOUT" }, "timeout"],
    [{ code: "ECONNABORTED" }, "timeout"],
    [{ code: "EPROTO" }, "no-answer"],
    [{}, "no-answer"],
  ])("may have been read: %j", (cause, code) => {
    expect(outcomeOfFailure(failed(cause))).toEqual({ kind: "unknown", code });
  });
});

describe("a request that failed", () => {
  it.each([
    ["nothing", undefined],
    ["a text", "failed"],
    ["no cause", new TypeError("failed")],
  ])("may have been read when %s is known of it", (_name, error) => {
    expect(outcomeOfFailure(error)).toEqual({ kind: "unknown", code: "no-answer" });
  });

  it("may be its own cause", () => {
    const error = new Error("failed");
    error.cause = error;
    expect(outcomeOfFailure(error)).toEqual({ kind: "unknown", code: "no-answer" });
  });
});

describe("Retry-After", () => {
  it("is read as seconds or as a date", () => {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    expect(parseRetryAfter("0")).toBe(0);
    expect(parseRetryAfter("120")).toBe(120_000);
    expect(parseRetryAfter(inAMinute)! / 1000).toBeCloseTo(60, -1);
    expect(parseRetryAfter("Wed, 21 Oct 2015 07:28:00 GMT")).toBe(0);
  });

  it.each([undefined, null, 5, "", "soon", "Soon", "-1", "1.5", "1e3", "999999999"])(
    "says nothing with %j",
    (value) => {
      expect(parseRetryAfter(value)).toBeUndefined();
    },
  );
});
