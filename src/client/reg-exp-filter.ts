/** For JSON.stringify: a RegExp as a filter has it. Flags that only say how to search on mean nothing there. */
export function regExpAsFilter(_key: string, value: unknown): unknown {
  return value instanceof RegExp ? { $regex: value.source, $options: value.flags.replace(/[dgy]/g, "") } : value;
}
