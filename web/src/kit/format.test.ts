import { describe, expect, test } from "vitest";
import { ago, count, duration, exactMoney, money, plural, saving, share, stepTitle } from "./format";

describe("numbers", () => {
  test("counts are grouped and shorten from a million on", () => {
    expect(count(12480)).toBe("12,480");
    expect(count(1_240_000)).toBe("1.24 M");
    expect(count(null)).toBe("-");
  });

  test("durations keep three significant digits and never print sixty seconds", () => {
    expect(duration(840)).toBe("840 ms");
    expect(duration(2310)).toBe("2.31 s");
    expect(duration(0.4)).toBe("0.40 ms");
    expect(duration(0.998)).toBe("1.00 ms");
    expect(duration(12.34)).toBe("12.3 ms");
    expect(duration(999.7)).toBe("1.00 s");
    expect(duration(59_990)).toBe("1 m 00 s");
    expect(duration(252_000)).toBe("4 m 12 s");
    expect(duration(3_840_000)).toBe("1 h 04 m");
  });

  test("an unknown cost is never written as zero", () => {
    expect(money(null, "unknown")).toBe("unknown");
    expect(money("0", "unknown")).toBe("unknown");
    expect(money(null, "")).toBe("-");
    expect(money("0", "computed")).toBe("$0");
    expect(money("0.0042", "computed")).toBe("$0.0042");
    expect(money("0.00001", "computed")).toBe("<$0.0001");
    expect(money("0.2", "computed")).toBe("$0.2000");
    expect(money("12.3456", "computed")).toBe("$12.35");
  });

  test("an exact cost keeps every digit that counts", () => {
    expect(exactMoney("0.0000256000")).toBe("$0.0000256");
    expect(exactMoney("10")).toBe("$10");
    expect(exactMoney("1.000")).toBe("$1");
  });

  test("relative times count from the given moment", () => {
    const now = Date.parse("2026-01-02T00:00:00Z");
    expect(ago("2026-01-01T23:59:48Z", now)).toBe("12 s ago");
    expect(ago("2026-01-01T00:00:00Z", now)).toBe("1 d ago");
    expect(ago("2026-01-02T00:00:05Z", now)).toBe("0 s ago");
  });

  test("a step is named by its largest whole unit", () => {
    expect([30, 900, 21_600, 86_400, 90].map(stepTitle)).toEqual(["30 s", "15 m", "6 h", "1 d", "90 s"]);
  });

  test("one span is singular", () => {
    expect(plural(1, "span")).toBe("1 span");
    expect(plural(1200, "span")).toBe("1,200 spans");
  });
});

describe("the prompt cache", () => {
  test("writes a share as percent", () => {
    expect([share(0), share(0.0042), share(0.75), share(null)]).toEqual(["0 %", "0.4 %", "75 %", "-"]);
  });

  test("says what was saved, and what was paid more", () => {
    expect([saving("0.0042"), saving("-0.5"), saving("0"), saving(null)]).toEqual(["saved $0.0042", "cost $0.5000 more", "saved $0", "saving unknown"]);
  });
});
