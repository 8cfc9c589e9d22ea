/** Which commands a few letters mean: every word must stand in the label. */
export function matches(label: string, query: string): boolean {
  const text = label.toLowerCase();
  return query.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
