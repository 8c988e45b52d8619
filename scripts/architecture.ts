import { globSync, readFileSync } from "node:fs";
import { say } from "./terminal.ts";

export interface SourceFile {
  /** From the top of the repository, with `/`. */
  path: string;
  text: string;
}

interface Rule {
  /** What to do instead: shown to whoever breaks it. */
  instead: string;
  /** Files bound by the rule. */
  binds: (path: string) => boolean;
  /** What such a file must not import. The first argument is the target of a relative import, or a package. */
  forbids?: (target: string, typeOnly: boolean) => boolean;
  /** What must not stand in its code; comments may name it. */
  forbidsText?: RegExp;
}

const inside = (folder: string) => (path: string) => path.startsWith(`${folder}/`);
const isTest = (path: string) => /\.test\.ts$|\/test\/|\/testing\//.test(path);
const backend = "apps/backend/src";
const ENVIRONMENT_READERS = [
  `${backend}/config.ts`,
  `${backend}/main.ts`,
  "packages/db/src/test-database.ts",
  "packages/simulator/src/main.ts",
];

const rules: Rule[] = [
  {
    instead: "packages know no app: pass the value in, or move the code to the app",
    binds: inside("packages"),
    forbids: (target) => target.startsWith("apps/") || target.startsWith("@jobrun/backend"),
  },
  {
    instead: "messaging knows no Express, no Prisma and no other package of ours",
    binds: (path) => inside("packages/messaging")(path) && !isTest(path),
    forbids: (target) => /^(express|@prisma\/|@jobrun\/)/.test(target),
  },
  {
    instead: "the simulator shares nothing with what it stands in for but types of messaging",
    binds: inside("packages/simulator"),
    forbids: (target, typeOnly) =>
      target.startsWith("@jobrun/") && !(typeOnly && target === "@jobrun/messaging"),
  },
  {
    instead: "features do not import routes: move what is shared into a feature",
    binds: (path) =>
      inside(backend)(path) &&
      !inside(`${backend}/webhooks`)(path) &&
      !isTest(path) &&
      path !== `${backend}/app.ts` &&
      path !== `${backend}/main.ts`,
    forbids: inside(`${backend}/webhooks`),
  },
  {
    instead: "only main.ts and compose.ts import config.ts: receive the value as an argument",
    binds: (path) =>
      inside(backend)(path) &&
      !isTest(path) &&
      path !== `${backend}/main.ts` &&
      path !== `${backend}/compose.ts`,
    forbids: (target) => target === `${backend}/config.ts`,
  },
  {
    instead: "only packages/db talks to Prisma: import from @jobrun/db",
    binds: (path) => !inside("packages/db")(path),
    forbids: (target) =>
      target.startsWith("@prisma/") || inside("packages/db/src/generated")(target),
  },
  {
    instead: "the gateway runs without test databases, embedded servers and doubles",
    binds: (path) => inside(backend)(path) && !isTest(path),
    forbids: (target) => /^@jobrun\/(simulator|db\/)/.test(target),
  },
  {
    instead: "only config.ts reads the environment: receive the value as an argument",
    binds: (path) =>
      !inside("scripts")(path) && !isTest(path) && !ENVIRONMENT_READERS.includes(path),
    forbidsText: /\bprocess\.env\b/,
  },
  {
    instead: "the gateway knows no provider by name: ask the channel, or add to its contract",
    binds: (path) => inside(backend)(path) && !isTest(path),
    forbidsText: /whatsapp|360dialog|waMessageId/,
  },
];

/** One line per broken rule: file, what it does, what to do instead. */
export function findViolations(files: SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    rules
      .filter(({ binds }) => binds(path))
      .flatMap(({ forbids, forbidsText, instead }) => [
        ...importsOf(path, text)
          .filter(({ target, typeOnly }) => forbids?.(target, typeOnly))
          .map(({ target }) => `${path} imports ${target}: ${instead}`),
        ...(forbidsText?.test(withoutComments(text))
          ? [`${path} contains ${forbidsText.source}: ${instead}`]
          : []),
      ]),
  );
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\/|\/\/.*/g, "");
}

function importsOf(path: string, text: string): { target: string; typeOnly: boolean }[] {
  const statements = text.matchAll(
    /^\s*(?:import|export)(\s+type)?\b[^;"']*?\bfrom\s+["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/gm,
  );
  return [...statements].map(([, type, from, bare]) => ({
    target: resolveTarget(path, from ?? bare ?? ""),
    typeOnly: type !== undefined,
  }));
}

function resolveTarget(path: string, specifier: string): string {
  return specifier.startsWith(".")
    ? new URL(specifier, `file:///${path}`).pathname.slice(1)
    : specifier;
}

if (import.meta.main) {
  const paths = globSync([
    "apps/*/{src,test}/**/*.ts",
    "packages/*/src/**/*.ts",
    "scripts/**/*.ts",
  ]);
  const files = paths
    .filter((path) => !path.includes("/generated/"))
    .map((path) => ({ path: path.replaceAll("\\", "/"), text: readFileSync(path, "utf8") }));
  const violations = findViolations(files);
  for (const line of violations) say(line);
  process.exitCode = violations.length > 0 || files.length === 0 ? 1 : 0;
}
