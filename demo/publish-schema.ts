import { find, setText } from "./dom.ts";
import { findJsonMistake } from "./json-mistake.ts";

/** A JSON Schema for each type, in this page. What does not fit it is not published. */
export function setUpPublishSchema(type: HTMLInputElement, payload: HTMLTextAreaElement): { faults(value: unknown): Promise<readonly string[]> } {
  const text = find("schema", HTMLTextAreaElement);
  const note = find("schema-note", HTMLElement);
  const summary = find("schema-state", HTMLElement);
  const schemas = new Map<string, string>();
  const now = (): string => type.value.trim();

  function show(): void {
    const has = schemas.has(now());
    setText(summary, has ? "on" : "");
    const mistake = text.value.trim() === "" ? undefined : findJsonMistake(text.value);
    text.setAttribute("aria-invalid", String(mistake !== undefined));
    setText(note, mistake === undefined
      ? has ? `Each ${now()} is checked before it is published.` : "None: any JSON goes. Make one from the payload, then change it."
      : `Line ${mistake.line}, column ${mistake.column}: ${mistake.message}`);
  }
  const keep = (): void => {
    if (text.value.trim() === "") schemas.delete(now());
    else schemas.set(now(), text.value);
    show();
  };

  text.addEventListener("input", keep);
  type.addEventListener("input", () => {
    text.value = schemas.get(now()) ?? "";
    show();
  });
  find("schema-make", HTMLButtonElement).addEventListener("click", () => {
    if (findJsonMistake(payload.value) !== undefined) return setText(note, "The payload is no JSON yet.");
    text.value = JSON.stringify(schemaOf(JSON.parse(payload.value)), null, 2);
    keep();
  });
  show();

  return {
    async faults(value) {
      const schema = schemas.get(now());
      if (schema === undefined) return [];
      const mistake = findJsonMistake(schema);
      if (mistake !== undefined) return [`the schema is no JSON: line ${mistake.line}, column ${mistake.column}: ${mistake.message}`];
      const { Validator } = await import("@cfworker/json-schema");
      try {
        const { errors } = new Validator(JSON.parse(schema) as object, "2020-12", false).validate(value);
        // What is above a fault only says that there is one below.
        return errors.filter(({ keyword }) => keyword !== "properties" && keyword !== "items").map(({ instanceLocation, error }) => `payload${instanceLocation.slice(1).replaceAll("/", ".")}: ${error}`);
      } catch (thrown) {
        return [`the schema is none: ${thrown instanceof Error ? thrown.message : String(thrown)}`];
      }
    },
  };
}

/** What a payload says of its own form. */
export function schemaOf(value: unknown): object {
  if (value === null) return { type: "null" };
  if (Array.isArray(value)) return { type: "array", ...(value.length > 0 && { items: schemaOf(value[0]) }) };
  if (typeof value === "object") {
    return { type: "object", required: Object.keys(value), properties: Object.fromEntries(Object.entries(value).map(([name, below]) => [name, schemaOf(below)])) };
  }
  return { type: typeof value === "number" ? (Number.isInteger(value) ? "integer" : "number") : typeof value };
}
