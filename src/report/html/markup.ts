/** Markup that is safe to put into a page as it is; made by {@link html} and {@link raw} only. */
export interface Markup {
  readonly markup: string;
}

type Value = string | number | Markup | null | undefined | false | readonly Value[];

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text with nothing in it that a browser, or a terminal that shows the source, would act on. */
function escapeText(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (character) => entities[character] ?? "")
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\ufffd")
    .toWellFormed();
}

function render(value: Value): string {
  if (value === null || value === undefined || value === false) return "";
  if (typeof value === "object") return "markup" in value ? value.markup : value.map(render).join("");
  return escapeText(String(value));
}

/**
 * A tagged template that escapes everything put into it but {@link Markup}. Attribute
 * values must stand in double quotes. `false`, `null` and `undefined` give nothing.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return {
    markup: parts.map((part, position) => part + (position < values.length ? render(values[position]) : "")).join(""),
  };
}

/** Our own text as it is, for a style sheet; never for text that came from anywhere else. */
export function raw(text: string): Markup {
  return { markup: text };
}
