import type { Detail, Side } from "@/api/types";

import type { TabId } from "../lib/tabs";

import { BodyTab } from "./body-tab";
import { ConversationTab } from "./conversation-tab";
import { EventsTab } from "./events-tab";
import { HeadersTab } from "./headers-tab";
import { TimingTab } from "./timing-tab";
import { UsageTab } from "./usage-tab";

interface TabContentProps {
  detail: Detail;
  tab: TabId;
  at: number | null;
  /** Byte of the body to show. */
  byte: number | null;
  onAt: (at: number | null) => void;
  onPlace: (side: Side, offset: number) => void;
}

export function TabContent({ detail, tab, at, byte, onAt, onPlace }: TabContentProps) {
  switch (tab) {
    case "conversation":
      return <ConversationTab detail={detail} onPlace={onPlace} />;
    case "request":
    case "response":
      return <BodyTab key={tab} detail={detail} side={tab} byte={byte} />;
    case "events":
      return <EventsTab detail={detail} at={at} onAt={onAt} />;
    case "headers":
      return <HeadersTab detail={detail} />;
    case "usage":
      return <UsageTab detail={detail} />;
    case "timing":
      return <TimingTab detail={detail} />;
  }
}
