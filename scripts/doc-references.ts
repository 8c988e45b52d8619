import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { say } from "./terminal.ts";

const TOP = ["apps", "packages", "prisma", "scripts", "docs", ".ci"];
const PACKAGE_MANAGER_COMMANDS = [
  "install",
  "exec",
  "add",
  "remove",
  "run",
  "i",
  "ci",
  "why",
  "test",
];

/**
 * What a document names and the repository does not have: paths in backticks below one of the top
 * folders, targets of relative links, and commands `pnpm x` / `npm run x`.
 *
 * @param exists says whether a path from the top of the repository exists
 * @param commands the names in package.json's "scripts"
 */
export function brokenReferences(
  document: { path: string; text: string },
  exists: (path: string) => boolean,
  commands: string[],
): string[] {
  const { path, text } = document;
  const code = [...text.matchAll(/`([^`\n]+)`/g)].map(([, inner]) => inner ?? "");
  const cited = code
    .map((words) => words.replace(/[#:].*$/, ""))
    .filter((words) => TOP.some((folder) => words.startsWith(`${folder}/`)))
    // A pattern or a placeholder names no file.
    .filter((words) => !/[\s*<>{}…]/.test(words) && !words.includes("/generated/"));
  const linked = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map(([, target]) => target ?? "")
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => join(dirname(path), target));
  const named = [...text.matchAll(/(?:^|[`\s(])(?:pnpm|npm run) ([a-z][a-z:-]*)/gm)]
    .map(([, name]) => name ?? "")
    .filter((name) => !PACKAGE_MANAGER_COMMANDS.includes(name) && isCommand(text, name));
  return [
    ...[...cited, ...linked].filter((p) => !exists(p)).map((p) => `${path}: ${p} does not exist`),
    ...named
      .filter((name) => !commands.includes(name))
      .map((name) => `${path}: no command "${name}"`),
  ];
}

/** Prose says "pnpm workspace"; a command stands in code. */
function isCommand(text: string, name: string): boolean {
  return new RegExp(`(\`|^\\s*(?:\\$ )?)(pnpm|npm run) ${name}`, "m").test(text);
}

if (import.meta.main) {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: object };
  const paths = globSync(["README.md", "CONTRIBUTING.md", "docs/**/*.md"]);
  const broken = paths.flatMap((path) =>
    brokenReferences({ path, text: readFileSync(path, "utf8") }, existsSync, Object.keys(scripts)),
  );
  for (const line of broken) say(line);
  process.exitCode = broken.length > 0 ? 1 : 0;
}
