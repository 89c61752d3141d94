/** Whether a text is worth reading as Markdown. */

const LIMIT = 60_000; // characters; beyond, laying it out would be felt
const signs = /^ {0,3}(?:#{1,6} |[-*+] |\d{1,3}[.)] |> |```|~~~)|\*\*|`|\]\(|\*\S[^*\n]*\*|<https?:|^ {0,3}\|?[^|\n]+\|[^\n]*\n {0,3}\|?\s*:?-+:?\s*(?:\||$)/m;

export function isMarkdown(text: string): boolean {
  return text.length <= LIMIT && signs.test(text);
}
