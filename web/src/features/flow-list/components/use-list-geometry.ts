import { useEffect, useState, type RefObject } from "react";

const PHONE_WIDTH = 768;
const ROW_PX = 28;
const ROW_TOUCH_PX = 56;
const ROW_PHONE_PX = 60;

export interface ListGeometry {
  width: number;
  phone: boolean;
  rowHeight: number;
}

/** What the list measures of the world: its own width, the window and the pointer. */
export function useListGeometry(element: RefObject<HTMLElement | null>): ListGeometry {
  const [geometry, setGeometry] = useState<ListGeometry>(() => measure(window.innerWidth));
  // The size of an element is outside React.
  useEffect(() => {
    const target = element.current;
    if (target === null) return;
    const update = () => {
      setGeometry((old) => {
        const next = measure(Math.round(target.clientWidth));
        return next.width === old.width && next.rowHeight === old.rowHeight ? old : next;
      });
    };
    const observer = new ResizeObserver(update);
    observer.observe(target);
    update();
    return () => { observer.disconnect(); };
  }, [element]);
  return geometry;
}

function measure(width: number): ListGeometry {
  const phone = window.innerWidth < PHONE_WIDTH;
  const touch = window.matchMedia("(pointer: coarse)").matches;
  return { width, phone, rowHeight: phone ? ROW_PHONE_PX : touch ? ROW_TOUCH_PX : ROW_PX };
}
