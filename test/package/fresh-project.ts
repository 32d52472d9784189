import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { name, version, files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { name: string; version: string; files: readonly string[] };

/** A project of its own with nothing in it but the packed package, installed as anybody would. */
export class FreshProject implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "fresh-project-"));

  constructor() {
    const staged = join(this.folder, "staged");
    mkdirSync(staged);
    execFileSync("npx", ["tsc", "-p", "tsconfig.build.json", "--outDir", join(staged, "dist")], { cwd: root, stdio: "inherit" });
    for (const file of ["package.json", ...files.filter((one) => one !== "dist")]) cpSync(join(root, file), join(staged, file));
    // What `prepack` would build is there already, into a folder that no other test uses.
    execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", this.folder], { cwd: staged });
    rmSync(staged, { recursive: true });
    this.write("package.json", JSON.stringify({ name: "fresh", private: true, type: "module" }));
    execFileSync("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--silent", `./${name.slice(1).replace("/", "-")}-${version}.tgz`], { cwd: this.folder, stdio: "inherit" });
  }

  write(file: string, text: string): string {
    const path = join(this.folder, file);
    writeFileSync(path, text);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The example blocks of a page, in order. */
export function examples(page: string, language: string): string[] {
  return [...readFileSync(join(root, page), "utf8").matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, text]) => text!);
}
