/** What a command sees of the process it runs in. */
export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input: AsyncIterable<Uint8Array>;
  /** Whether standard output shows colours. */
  readonly colour: boolean;
  /** Whether somebody looks for a fault, and wants to see more than a message. */
  readonly debug: boolean;
  /** Writes a line to standard output, and waits while nobody takes it. @throws what `stop` was aborted with if nobody ever will. */
  print(line: string): Promise<void>;
  /** The same for text that is no line, or many. */
  write(text: string): Promise<void>;
  /** Writes a line to standard error. */
  note(line: string): void;
  /** Shows a line that the next one replaces, undefined takes it away. Only a terminal on standard error shows it. */
  progress(line: string | undefined): void;
  /** Calls back for each key that is pressed, without Enter. Returns how to stop; undefined if nobody sits at a terminal. */
  keys(pressed: (key: string) => void): (() => void) | undefined;
  /** Aborted with `Interrupted` by Ctrl-C or SIGTERM, and with `NobodyReads` when the reader of standard output is gone. */
  readonly stop: AbortSignal;
}

export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly code = "ERR_INTERRUPTED";
}

/** As with `| head`: there is nothing left to do, and nothing has failed. */
export class NobodyReads extends Error { override readonly name = "NobodyReads"; }

/** npm passes on the Ctrl-C that the terminal has given to its children already: what comes within this time is the same key press. */
const SAME_PRESS = 500;

/** The shell of a real process. The first signal asks the command to stop, the next ends the process at once. */
export function openShell(program: NodeJS.Process): Shell {
  const { stdout, stderr } = program;
  const stop = new AbortController();
  let reading = false;
  let first: { readonly signal: NodeJS.Signals; readonly at: number } | undefined;
  const signalled = (signal: NodeJS.Signals): void => {
    const at = performance.now();
    if (first === undefined) {
      first = { signal, at };
      stop.abort(new Interrupted(`stopped by ${signal} before it was done`));
      // Who waits for more of it must not wait any longer.
      if (reading) program.stdin.destroy(stop.signal.reason as Error);
    } else if (signal !== first.signal || at - first.at > SAME_PRESS) program.exit(1);
  };
  program.on("SIGINT", signalled);
  program.on("SIGTERM", signalled);
  const failed = (error: NodeJS.ErrnoException): void => stop.abort(error.code === "EPIPE" ? new NobodyReads() : error);
  stdout.on("error", failed);
  // Where messages cannot be written, there is nobody to tell.
  stderr.on("error", () => {});
  let shown = false;
  const progress = (line: string | undefined): void => {
    if (!stderr.isTTY || (line === undefined && !shown)) return;
    shown = line !== undefined;
    // A line that is broken in two could not be taken away.
    stderr.write(`\r\u001b[2K${line?.slice(0, (stderr.columns || 80) - 1) ?? ""}`);
  };
  const write = async (text: string): Promise<void> => {
    if (stdout.errored !== null) throw stop.signal.reason;
    if (stdout.isTTY) progress(undefined);
    await new Promise<void>((resolve, reject) => stdout.write(text, (error) => {
      if (error === null || error === undefined) return resolve();
      failed(error);
      reject(stop.signal.reason as Error);
    }));
  };
  return {
    env: program.env,
    get input() {
      reading = true;
      return program.stdin;
    },
    colour: stdout.isTTY && stdout.hasColors({ ...program.env }),
    debug: (program.env.DEBUG ?? "") !== "",
    stop: stop.signal,
    note(line) {
      progress(undefined);
      stderr.write(`${line}\n`);
    },
    progress,
    keys: (pressed) => (program.stdin.isTTY ? listenToKeys(program.stdin, pressed, () => signalled("SIGINT")) : undefined),
    print: (line) => write(`${line}\n`),
    write,
  };
}

/** A terminal that passes on each key passes on Ctrl-C too, as one more. */
function listenToKeys(stdin: NodeJS.Process["stdin"], pressed: (key: string) => void, interrupt: () => void): () => void {
  const take = (chunk: Buffer): void => {
    for (const key of chunk.toString()) {
      if (key === "\u0003") interrupt();
      else pressed(key);
    }
  };
  stdin.setRawMode(true);
  stdin.on("data", take);
  return () => {
    stdin.off("data", take);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
