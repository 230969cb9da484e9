// What is told of spans of columns, such as who is missing from a pair's map; the document holds it under a name.
export class Spans {
  constructor(name) {
    this.name = name;
    this.spans = [];
  }

  replace(document) {
    this.spans = document[this.name]?.spans ?? [];
  }

  // What an answer says of its time replaces what was known of it.
  add(document) {
    if (!document[this.name]) return;
    const { since_ms: since, until_ms: until, spans } = document[this.name];
    const earlier = this.spans.filter((span) => span.from_ms < since).map((span) => ({ ...span, until_ms: Math.min(span.until_ms, since) }));
    const later = this.spans.filter((span) => span.until_ms > until).map((span) => ({ ...span, from_ms: Math.max(span.from_ms, until) }));
    this.spans = [...earlier, ...spans, ...later];
  }

  // The span that holds the column that ends then, or null.
  at(endMs) {
    return this.spans.find((span) => span.from_ms < endMs && endMs <= span.until_ms) ?? null;
  }
}
