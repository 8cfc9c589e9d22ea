/** Which columns the list has at a width. Columns leave by the container: client, waterfall, cost, tokens, usage. */
export type ColumnId = "time" | "state" | "model" | "client" | "what" | "usage" | "tokens" | "cost" | "ttft" | "total" | "waterfall";

const CLIENT_MIN = 1_040;
const TTFT_MIN = 960;
const WAVE_MIN = 760;
const COST_MIN = 640;
const TOKENS_MIN = 560;
const USAGE_MIN = 480;
const WIDE_MIN = 1_100;

/** Width of the waterfall and track of each column, as CSS grid reads it. */
export function columnsAt(width: number): { id: ColumnId; track: string }[] {
  const wide = width >= WIDE_MIN;
  const columns: { id: ColumnId; track: string; from?: number }[] = [
    { id: "time", track: "56px" },
    { id: "state", track: "14px" },
    { id: "model", track: wide ? "148px" : "124px" },
    { id: "client", track: wide ? "138px" : "118px", from: CLIENT_MIN },
    { id: "what", track: "minmax(60px, 1fr)" },
    { id: "usage", track: wide ? "88px" : "64px", from: USAGE_MIN },
    { id: "tokens", track: "52px", from: TOKENS_MIN },
    { id: "cost", track: "70px", from: COST_MIN },
    { id: "ttft", track: "44px", from: TTFT_MIN },
    { id: "total", track: "60px" },
    { id: "waterfall", track: wide ? "minmax(132px, 0.35fr)" : "84px", from: WAVE_MIN },
  ];
  return columns.filter(({ from }) => from === undefined || width >= from).map(({ id, track }) => ({ id, track }));
}

export function gridTemplate(columns: readonly { track: string }[]): string {
  return columns.map(({ track }) => track).join(" ");
}
