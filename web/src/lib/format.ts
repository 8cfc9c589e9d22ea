/**
 * Figures as people read them: `98.3k`, `310 ms`, `9.6 s`, `14.1 KB`. Exact values stand in titles, not here.
 * Unknown values never come in: callers say "unknown" in words.
 */

const US_PER_MS = 1_000;
const US_PER_S = 1_000_000;
const US_PER_MIN = 60 * US_PER_S;

/** Tokens and counts: exact below a thousand, three significant digits above. */
export function compact(count: number): string {
  if (count < 1_000) return String(count);
  if (count < 999_950) return `${(count / 1_000).toFixed(1)}k`;
  return `${(count / 1_000_000).toFixed(2)}M`;
}

export function exact(count: number): string {
  return count.toLocaleString("en-US");
}

export function duration(us: number): string {
  if (us < US_PER_MS) return us === 0 ? "0 ms" : `${Math.round(us)} µs`;
  if (us < 10 * US_PER_MS) return `${trim((us / US_PER_MS).toFixed(1))} ms`;
  if (us < 999_500) return `${Math.round(us / US_PER_MS)} ms`;
  if (us < 59_950_000) return `${(us / US_PER_S).toFixed(1)} s`;
  if (us < US_PER_MIN) return "1 m 00 s";
  if (us < 60 * US_PER_MIN) return `${Math.floor(us / US_PER_MIN)} m ${pad(Math.floor((us % US_PER_MIN) / US_PER_S))} s`;
  return `${Math.floor(us / (60 * US_PER_MIN))} h ${pad(Math.floor((us / US_PER_MIN) % 60))} m`;
}

/** Two decimals past the second, for headers. */
export function durationExact(us: number): string {
  if (us < US_PER_S || us >= US_PER_MIN) return duration(us);
  return `${(us / US_PER_S).toFixed(2)} s`;
}

/** Seconds alone, for columns whose head carries the unit. */
export function seconds(us: number, digits = 2): string {
  return (us / US_PER_S).toFixed(digits);
}

export function bytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  if (count < 1_000_000) return `${(count / 1_000).toFixed(1)} KB`;
  if (count < 1_000_000_000) return `${(count / 1_000_000).toFixed(1)} MB`;
  return `${(count / 1_000_000_000).toFixed(2)} GB`;
}

/** `49 %` of hundredths of a per cent; one place below ten, and never 0 for what is there. */
export function percent(basisPoints: number): string {
  if (basisPoints === 0) return "0 %";
  if (basisPoints < 10) return "<0.1 %";
  return basisPoints < 995 ? `${(basisPoints / 100).toFixed(1)} %` : `${Math.round(basisPoints / 100)} %`;
}

/** A decimal number from the wire with a few digits that count; more of them stand in a title. */
export function decimal(text: string, digits = 3): string {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) return text;
  if (value === 0) return "0";
  return Math.abs(value) >= 100 ? exact(Math.round(value)) : trimZeros(value.toFixed(Math.min(12, Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value)))))));
}

/** `14:35:52` of an instant in microseconds, in the zone of the browser. */
export function clock(atUs: number): string {
  const at = new Date(atUs / US_PER_MS);
  return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

export function clockMs(atUs: number): string {
  return `${clock(atUs)}.${String(Math.floor(atUs / US_PER_MS) % 1_000).padStart(3, "0")}`;
}

/** Date and time with microseconds, for titles. */
export function instant(atUs: number): string {
  const at = new Date(atUs / US_PER_MS);
  const date = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${date} ${clock(atUs)}.${String(atUs % US_PER_S).padStart(6, "0")}`;
}

/** `01JD4X…9QK2`: both ends of an id. */
export function shortId(id: string): string {
  return id.length <= 14 ? id : `${id.slice(0, 8)}…${id.slice(-4)}`;
}

/** A model's name without what its vendor mark and the title already say. */
export function shortModel(model: string): string {
  // At Bedrock a region and a vendor stand in front, a revision behind.
  const name = model.slice(model.lastIndexOf("/") + 1).replace(/^(?:[a-z-]{2,12}\.){1,2}(?=[a-z])/, "").replace(/-v\d+:\d+$/, "");
  const bare = undated(name.replace(/^claude-/, ""));
  return bare === "" ? name : bare;
}

/** A model's name without the date of its version. */
export function undated(model: string): string {
  return model.replace(/-(20\d{6}|20\d\d-\d\d-\d\d)$/, "");
}

/** The end of a long id, enough to tell one from the next. */
export function idTail(id: string): string {
  return id.length <= 8 ? id : id.slice(-4);
}

/** Cuts at a number of characters without splitting a surrogate pair. */
export function cut(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const end = /[\uD800-\uDBFF]/.test(text.charAt(chars - 1)) ? chars - 1 : chars;
  return text.slice(0, end);
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

function trim(text: string): string {
  return text.replace(/\.0$/, "");
}

function trimZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
