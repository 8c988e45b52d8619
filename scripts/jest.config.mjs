/** Native ES modules, TypeScript by SWC, packages from their sources. Types are checked by `pnpm verify`. */
export default {
  rootDir: "..",
  globalSetup: "<rootDir>/scripts/jest-setup.mjs",
  globalTeardown: "<rootDir>/scripts/jest-teardown.mjs",
  testEnvironment: "node",
  testEnvironmentOptions: { customExportConditions: ["@jobrun/source", "node", "node-addons"] },
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2023" }, module: { type: "es6" } },
    ],
  },
  roots: ["<rootDir>/apps", "<rootDir>/packages", "<rootDir>/scripts"],
  testMatch: ["**/*.test.ts"],
  modulePathIgnorePatterns: ["/dist/"],
  testTimeout: 30_000,
  // Most tests wait for something most of the time: no core needs to be kept free.
  maxWorkers: "100%",
};
