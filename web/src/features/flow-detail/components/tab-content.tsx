import type { Detail } from "@/api/types";

import type { TabId } from "../lib/tabs";

import { BodyTab } from "./body-tab";
import { ConversationTab } from "./conversation-tab";
import { EventsTab } from "./events-tab";
import { HeadersTab } from "./headers-tab";
import { TimingTab } from "./timing-tab";

interface TabContentProps {
  detail: Detail;
  tab: TabId;
  at: number | null;
  onAt: (at: number | null) => void;
}

export function TabContent({ detail, tab, at, onAt }: TabContentProps) {
  switch (tab) {
    case "conversation":
      return <ConversationTab detail={detail} />;
    case "request":
    case "response":
      return <BodyTab key={tab} detail={detail} side={tab} />;
    case "events":
      return <EventsTab detail={detail} at={at} onAt={onAt} />;
    case "headers":
      return <HeadersTab exchange={detail.exchange} />;
    case "timing":
      return <TimingTab detail={detail} />;
  }
}
