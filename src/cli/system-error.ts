/** What the operating system said of a file, in words that say what to do; undefined for all other errors. */
export function systemError(thrown: unknown): string | undefined {
  const { code, path, syscall } = (thrown ?? {}) as { code?: unknown; path?: unknown; syscall?: unknown };
  // Connections have errors of this kind too, without a path; so has the read of a folder.
  if (typeof code !== "string" || typeof syscall !== "string" || (typeof path !== "string" && syscall !== "read" && syscall !== "write")) return undefined;
  // What is written in whole has a name of its own until it is.
  const file = typeof path === "string" ? path.replace(/\.[\da-f]{8}\.part$/, "") : undefined;
  const place = file ?? "the file";
  if (syscall === "mkdir" && (code === "ENOENT" || code === "EEXIST")) return `the folder ${place} cannot be made${code === "EEXIST" ? ", there is a file of that name" : " there"}; name another`;
  switch (code) {
    case "ENOENT": return file !== path ? `the folder of ${place} is not there; make it, or name another` : `there is no ${place}; see that the path is right`;
    case "ENOTDIR": return `a part of the path ${place} is no folder; see that it is right`;
    case "EISDIR": return `${file ?? "that"} is a folder, and a file is needed; name one in it`;
    case "EACCES": case "EPERM": case "EROFS": return `${place} may not be ${syscall === "open" && file === path ? "opened" : "written"} by this user (${code}); change its rights, or name another`;
    case "ENOSPC": case "EDQUOT": return `there is no room left for ${place}; make some and try again`;
    default: return undefined;
  }
}
