import { useEffect, useRef, type ReactNode } from "react";

interface DialogProps {
  label: string;
  onClose: () => void;
  children: ReactNode;
  className?: string;
}

/**
 * A modal dialog on the browser's own element: it traps the focus, gives it back, and makes the rest inert. Radix's
 * modal writes a style element into the page, which the content security policy forbids.
 */
export function Dialog({ label, onClose, children, className = "" }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  // Opening is a call on the element, not an attribute.
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => { dialog?.close(); };
  }, []);
  return (
    <dialog
      ref={element}
      aria-label={label}
      onClose={onClose}
      onClick={(event) => { if (event.target === element.current) onClose(); }}
      className={`pop-in m-auto mt-24 max-h-[calc(100dvh-120px)] w-155 max-w-[calc(100vw-16px)] overflow-hidden rounded-4 border border-line-strong bg-overlay text-t1 shadow-pop backdrop:bg-scrim ${className}`}
    >
      {children}
    </dialog>
  );
}
