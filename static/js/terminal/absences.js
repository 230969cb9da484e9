// When which members were missing from an asset pair's map; nothing of one instrument.
export class Absences {
  constructor() {
    this.spans = [];
  }

  replace(document) {
    this.spans = document.absences?.spans ?? [];
  }

  // What an answer says of its time replaces what was known of it.
  add(document) {
    if (!document.absences) return;
    const { since_ms: since, until_ms: until, spans } = document.absences;
    const earlier = this.spans.filter((span) => span.from_ms < since).map((span) => ({ ...span, until_ms: Math.min(span.until_ms, since) }));
    const later = this.spans.filter((span) => span.until_ms > until).map((span) => ({ ...span, from_ms: Math.max(span.from_ms, until) }));
    this.spans = [...earlier, ...spans, ...later];
  }

  // Who is missing from the column that ends then.
  at(endMs) {
    return this.spans.find((span) => span.from_ms < endMs && endMs <= span.until_ms)?.missing ?? null;
  }
}
