import { getCoreRowModel, useReactTable, type Column, type ColumnDef } from "@tanstack/react-table";
import { useMemo, type ComponentType } from "react";

import type { Row } from "@/api/types";
import type { MessageKey } from "@/lib/i18n/en";

import { columnsAt, gridTemplate, type ColumnId } from "../lib/columns";

import { ModelCell, StateCell, TimeCell, TokensCell, TotalCell, TtftCell, UsageCell, WaterfallCell, type CellProps } from "./cells";
import { ClientCell } from "./client-cell";
import { CostCell } from "./cost-cell";
import { WhatCell } from "./what-cell";

export interface ColumnLook {
  label: MessageKey;
  numeric: boolean;
  Cell: ComponentType<CellProps>;
}

const LOOKS: Record<ColumnId, ColumnLook> = {
  time: { label: "list.time", numeric: false, Cell: TimeCell },
  state: { label: "list.state", numeric: false, Cell: StateCell },
  model: { label: "list.model", numeric: false, Cell: ModelCell },
  client: { label: "list.client", numeric: false, Cell: ClientCell },
  what: { label: "list.what", numeric: false, Cell: WhatCell },
  usage: { label: "list.usage", numeric: false, Cell: UsageCell },
  tokens: { label: "list.tokens", numeric: true, Cell: TokensCell },
  cost: { label: "list.cost", numeric: true, Cell: CostCell },
  ttft: { label: "list.ttft", numeric: true, Cell: TtftCell },
  total: { label: "list.total", numeric: true, Cell: TotalCell },
  waterfall: { label: "list.waterfall", numeric: false, Cell: WaterfallCell },
};

const IDS = Object.keys(LOOKS) as ColumnId[];
const DEFINITIONS: ColumnDef<Row>[] = IDS.map((id) => ({ id, accessorFn: (row) => row.id }));
/** The table keeps the columns only. Its row model would walk every held row at each change. */
const NO_ROWS: Row[] = [];

export interface ShownColumn extends ColumnLook {
  id: ColumnId;
}

/** The columns at a width, and the grid that they make. */
export function useColumns(width: number): { columns: readonly ShownColumn[]; template: string } {
  const fitting = useMemo(() => columnsAt(width), [width]);
  const visibility = useMemo(
    () => Object.fromEntries(IDS.map((id) => [id, fitting.some((column) => column.id === id)])),
    [fitting],
  );
  const table = useReactTable({
    data: NO_ROWS,
    columns: DEFINITIONS,
    getCoreRowModel: getCoreRowModel(),
    state: { columnVisibility: visibility },
  });
  const leaves = table.getVisibleLeafColumns();
  return useMemo(() => ({ columns: leaves.map(shown), template: gridTemplate(fitting) }), [leaves, fitting]);
}

function shown(column: Column<Row>): ShownColumn {
  const id = column.id as ColumnId;
  return { id, ...LOOKS[id] };
}
