import { expect, test } from "vitest";

import { femtosOf, money, moneyExact, moneyShort, priceOf } from "./money";

function check(format: (amount: string) => string, cases: [string, string][]): void {
  for (const [input, expected] of cases) expect(format(input), input).toBe(expected);
}

test("rows keep what tells calls apart, and never say $0.00 of what is not free", () => {
  check(moneyShort, [
    ["0", "$0"], ["0.000000000000001", "<$0.0001"], ["0.00009999", "<$0.0001"], ["0.0001", "$0.0001"], ["0.00661", "$0.0066"],
    ["0.052428", "$0.052"], ["0.2796", "$0.280"], ["1.2445", "$1.24"], ["12345.6", "$12,345.60"],
  ]);
});

test("headers have four places", () => {
  check(money, [["0.052428", "$0.0524"], ["0.00000001", "<$0.0001"], ["1.5", "$1.5000"], ["250", "$250.00"]]);
});

test("arithmetic has six places, and more where the amount would vanish", () => {
  check(moneyExact, [["0.02892", "$0.028920"], ["0.000018", "$0.000018"], ["0.00000015", "$0.00000015"], ["0", "$0.000000"], ["0.000000000000001", "$0.000000000000001"], ["-0.5", "−$0.500000"]]);
});

test("prices are told without loss", () => {
  check(priceOf, [["3", "$3.00"], ["0.3", "$0.30"], ["0.075", "$0.075"], ["0.0000001", "$0.0000001"], ["1250.5", "$1,250.50"]]);
});

test("what floating point cannot hold is exact; what is no number stays as it is", () => {
  expect(femtosOf("123456789.000000000000001")).toBe(123_456_789_000_000_000_000_001n);
  for (const broken of ["", ".", "1e5", "$1", "1.2.3"]) {
    expect(femtosOf(broken)).toBeNull();
    expect(moneyShort(broken)).toBe(broken);
  }
});
