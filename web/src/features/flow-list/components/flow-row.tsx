import { memo } from "react";

import type { Row } from "@/api/types";

import { ModelCell, StateCell, TokensCell, TotalCell } from "./cells";
import { CostFact } from "./cost-cell";
import type { ShownColumn } from "./use-columns";
import { WhatCell } from "./what-cell";

interface FlowRowProps {
  row: Row;
  /** Its number among the shown rows, from 0. */
  index: number;
  top: number;
  height: number;
  /** `null` draws the two lines of a phone. */
  columns: readonly ShownColumn[] | null;
  template: string;
  selected: boolean;
  cursor: boolean;
  /** The time of day; 0 for rows that do not run, so that they are not drawn again. */
  nowUs: number;
}

/** One flow. Without effects and memoised: scrolling only moves it. */
export const FlowRow = memo(function FlowRow(props: FlowRowProps) {
  const { row, columns, selected, cursor } = props;
  return (
    <div
      id={`flow-${row.id}`}
      data-flow={row.id}
      data-state={row.state}
      role="row"
      aria-rowindex={props.index + 2}
      aria-selected={selected}
      className={`flow-row ${columns === null ? "phone" : ""} ${cursor ? "cursor" : ""}`}
      style={{
        height: props.height,
        transform: `translateY(${props.top}px)`,
        ...(columns === null ? {} : { gridTemplateColumns: props.template }),
      }}
    >
      {columns === null
        ? <PhoneCells row={row} nowUs={props.nowUs} />
        : columns.map(({ id, numeric, Cell }, at) => (
            <div key={id} role="gridcell" aria-colindex={at + 1} className={`min-w-0 ${numeric ? "text-right" : ""}`}>
              <Cell row={row} nowUs={props.nowUs} />
            </div>
          ))}
    </div>
  );
});

function PhoneCells({ row, nowUs }: { row: Row; nowUs: number }) {
  return (
    <>
      <div role="gridcell" className="row-span-2 flex justify-center self-start pt-1.25"><StateCell row={row} nowUs={0} /></div>
      <div role="gridcell" className="col-span-4 min-w-0 text-13"><WhatCell row={row} nowUs={0} /></div>
      <div role="gridcell" className="min-w-0"><ModelCell row={row} nowUs={0} /></div>
      <div role="gridcell" className="text-right"><TokensCell row={row} nowUs={0} /></div>
      <div role="gridcell" className="text-right"><CostFact row={row} nowUs={0} /></div>
      <div role="gridcell" className="min-w-11 text-right"><TotalCell row={row} nowUs={nowUs} /></div>
    </>
  );
}
