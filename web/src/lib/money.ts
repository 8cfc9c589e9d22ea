/**
 * Money as people read it. Amounts come as decimal text with up to 15 places and stay exact: they are counted in
 * femtodollars (10⁻¹⁵), never as floating point. Unknown amounts never come in: callers say "unknown" in words.
 */

const PLACES = 15;
const DOLLAR = 10n ** BigInt(PLACES);
/** Less than this is not told apart in lists and headers: $0.0001. */
const SMALL = DOLLAR / 10_000n;
const CENT = DOLLAR / 100n;

/** `$0.052`, `$0.0066`, `$1.24`: for rows. */
export function moneyShort(amount: string): string {
  return rounded(amount, (femtos) => (femtos >= DOLLAR ? 2 : femtos >= CENT ? 3 : 4));
}

/** `$0.0524`: for headers. */
export function money(amount: string): string {
  return rounded(amount, (femtos) => (femtos >= 100n * DOLLAR ? 2 : 4));
}

/** `$0.052428`: for arithmetic. Six places, and more where the amount would vanish. */
export function moneyExact(amount: string): string {
  const femtos = femtosOf(amount);
  if (femtos === null) return amount;
  let places = 6;
  while (places < PLACES && femtos !== 0n && abs(femtos) < 10n ** BigInt(PLACES - places + 1)) places += 1;
  return signed(femtos, places);
}

/** `$3.00`, `$0.075`: nothing is rounded, and cents are always there. */
export function priceOf(amount: string): string {
  const femtos = femtosOf(amount);
  if (femtos === null) return amount;
  const [whole = "", places = ""] = fixed(abs(femtos), PLACES).split(".");
  return `${sign(femtos)}$${whole}.${places.replace(/0+$/, "").padEnd(2, "0")}`;
}

/** Reads a decimal number exactly; `null` where it is none. */
export function femtosOf(amount: string): bigint | null {
  const parts = /^(-?)(\d{1,15})(?:\.(\d{1,15}))?$/.exec(amount);
  if (parts === null) return null;
  const value = BigInt(parts[2] ?? "0") * DOLLAR + BigInt((parts[3] ?? "").padEnd(PLACES, "0"));
  return parts[1] === "-" ? -value : value;
}

function rounded(amount: string, placesOf: (femtos: bigint) => number): string {
  const femtos = femtosOf(amount);
  if (femtos === null) return amount;
  if (femtos === 0n) return "$0";
  if (femtos > 0n && femtos < SMALL) return "<$0.0001";
  return signed(femtos, placesOf(abs(femtos)));
}

function signed(femtos: bigint, places: number): string {
  return `${sign(femtos)}$${fixed(abs(femtos), places)}`;
}

function fixed(femtos: bigint, places: number): string {
  const unit = 10n ** BigInt(PLACES - places);
  const units = (femtos + unit / 2n) / unit;
  const digits = units.toString().padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places).replace(/\B(?=(\d{3})+$)/g, ",");
  return places === 0 ? whole : `${whole}.${digits.slice(-places)}`;
}

function sign(femtos: bigint): string {
  return femtos < 0n ? "−" : "";
}

function abs(femtos: bigint): bigint {
  return femtos < 0n ? -femtos : femtos;
}
