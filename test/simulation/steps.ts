/** The names of the frames in a message: the steps of the protocol. */
export function stepsOf(text: string): string[] {
  if (text === "ping" || text === "pong") return [text];
  const steps: string[] = [];
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const [, name = "?", , lineCount] = /^\["(\w+)"(?:,(\d+)(?:,(\d+))?)?/.exec(lines[i]!) ?? [];
    if (!steps.includes(name)) steps.push(name);
    // Raw lines follow: of events, or of a payload.
    if (name === "pub" && lineCount !== undefined && !lines[i]!.includes(",[", 6)) i += Number(lineCount);
    else if (name === "req" || name === "answer") i++;
  }
  return steps;
}
