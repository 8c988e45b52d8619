import { describe, expect, it } from "@jest/globals";
import { readSettings } from "./settings.ts";

const env = {
  DATABASE_URL: "postgresql://127.0.0.1/jobrun",
  TWILIO_ACCOUNT_SID: "AC0123",
  TWILIO_AUTH_TOKEN: "new,old",
  PUBLIC_BASE_URL: "https://gateway.example.com/",
};
const simulator = { TWILIO_API_BASE_URL: "http://127.0.0.1:3002" };

describe("the settings of pnpm provision", () => {
  it("are those of the gateway, read by the same rules", () => {
    expect(readSettings(env)).toEqual({
      databaseUrl: "postgresql://127.0.0.1/jobrun",
      publicBaseUrl: "https://gateway.example.com",
      twilio: { accountSid: "AC0123", authTokens: ["new", "old"] },
    });
  });

  it("ask for nothing that only the rest of the gateway needs", () => {
    expect(() => readSettings({ ...env, OPENAI_TIMEOUT_MS: "never" })).not.toThrow();
  });

  it("mean the embedded PostgreSQL when no database is named, but not in production", () => {
    const none = { ...env, DATABASE_URL: "" };
    expect(readSettings(none).databaseUrl).toBeNull();
    expect(() => readSettings({ ...none, NODE_ENV: "production" })).toThrow(
      /DATABASE_URL is missing/,
    );
  });

  it("name everything that is missing at once, and what to do", () => {
    expect(() => readSettings({})).toThrow(
      /TWILIO_ACCOUNT_SID[^]*TWILIO_AUTH_TOKEN[^]*PUBLIC_BASE_URL[^]*To do: set them in \.env/,
    );
  });

  it.each([
    "http://localhost:3001",
    "http://gateway.localhost",
    "http://gateway",
    "http://127.0.0.1:3001",
    "http://10.1.2.3",
    "http://172.16.0.1",
    "http://192.168.1.7",
    "http://[::1]:3001",
    "http://[fd00::1]",
    "http://[fe80::1]",
  ])("refuse %s for the real Twilio, which could never reach it", (address) => {
    expect(() => readSettings({ ...env, PUBLIC_BASE_URL: address })).toThrow(/Twilio cannot reach/);
    expect(readSettings({ ...env, ...simulator, PUBLIC_BASE_URL: address }).publicBaseUrl).toBe(
      address,
    );
  });

  it.each(["https://gateway.example.com", "https://203.0.113.7", "http://[2001:db8::1]"])(
    "take %s",
    (address) => {
      expect(readSettings({ ...env, PUBLIC_BASE_URL: address }).publicBaseUrl).toBe(address);
    },
  );
});
