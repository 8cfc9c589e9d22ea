/** Short names for the generated shapes. The one place that knows how the API document names them. */
import type { components } from "./generated/schema";

type Schemas = components["schemas"];

export type Row = Schemas["Row"];
export type Tokens = Schemas["Tokens"];
export type WireUsage = Schemas["WireUsage"];
export type Units = Schemas["Units"];
export type Cost = Schemas["Cost"];
export type CostLine = Schemas["CostLine"];
export type ContextUse = Schemas["ContextUse"];
export type Client = Schemas["Client"];
export type Software = Schemas["Software"];
export type Dialect = Schemas["Dialect"];
export type FlowState = Schemas["State"];
export type EndReason = Schemas["EndReason"];
export type Detail = Schemas["Detail"];
export type Exchange = Schemas["Exchange"];
export type BodyFacts = Schemas["BodyFacts"];
export type Header = Schemas["Header"];
/** Which of the two bodies; a part of a route, so that no shape names it. */
export type Side = "request" | "response";
export type Timings = Schemas["Timings"];
export type Reading = Schemas["Reading"];
export type RequestReading = Schemas["RequestReading"];
export type ResponseReading = Schemas["ResponseReading"];
export type ErrorReading = Schemas["ErrorReading"];
export type ErrorClass = Schemas["ErrorClass"];
export type Diagnostic = Schemas["Diagnostic"];
export type Embeddings = Schemas["Embeddings"];
export type Message = Schemas["Message"];
export type Part = Schemas["Part"];
export type ToolCall = Extract<Part, { kind: "tool_call" }>;
export type ToolResult = Extract<Part, { kind: "tool_result" }>;
export type Media = Schemas["Media"];
export type Tool = Schemas["Tool"];
export type FlowEvent = Schemas["FlowEvent"];
export type FlowProgress = Schemas["FlowProgress"];
export type FlowRows = Schemas["FlowRows"];
export type FlowsGone = Schemas["FlowsGone"];
export type FeedMessage = Schemas["FeedMessage"];
export type Stats = Schemas["Stats"];
export type SessionLink = Schemas["SessionLink"];
export type EventPage = Schemas["EventPage"];
export type FlowPage = Schemas["FlowPage"];
export type Status = Schemas["Status"];
export type Health = Schemas["Health"];
