/** What a check has found. `warning`: it works, and somebody should know. */
export interface Finding {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed";
  /** What is, and if it is not well what to do. */
  readonly message: string;
}

export const ok = (name: string, message: string): Finding => ({ name, state: "ok", message });
export const warning = (name: string, message: string): Finding => ({ name, state: "warning", message });
export const failed = (name: string, message: string): Finding => ({ name, state: "failed", message });
