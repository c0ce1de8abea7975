// A finger that rests on something asks for its menu, as a right click does.

import { type MouseEvent, type PointerEvent, type TouchEvent, useRef } from "react";

/** How long it rests (ms), and how far it may stray meanwhile (px): further is scrolling. */
const LONG = 500;
const FAR = 10;
/** What has a menu of its own in browsers, or is written in. */
const OWN = "a, input, textarea, audio, video, [role=dialog]";

interface Hold {
  onPointerDown: (event: PointerEvent) => void;
  onPointerMove: (event: PointerEvent) => void;
  onPointerUp: () => void;
  onPointerCancel: () => void;
  onTouchEnd: (event: TouchEvent) => void;
  onContextMenu: (event: MouseEvent) => void;
}

export function useHold(held: () => void): Hold {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const from = useRef({ x: 0, y: 0 });
  const touched = useRef(false);
  const fired = useRef(false);
  const stop = (): void => clearTimeout(timer.current);
  return {
    onPointerDown: ({ pointerType, isPrimary, target, clientX, clientY }) => {
      stop();
      fired.current = false;
      touched.current = pointerType === "touch" && !(target as Element).closest(OWN);
      if (!touched.current || !isPrimary) return;
      from.current = { x: clientX, y: clientY };
      timer.current = setTimeout(() => {
        fired.current = true;
        held();
      }, LONG);
    },
    onPointerMove: ({ clientX, clientY }) => {
      if (Math.hypot(clientX - from.current.x, clientY - from.current.y) > FAR) stop();
    },
    onPointerUp: stop,
    onPointerCancel: stop,
    onTouchEnd: (event) => {
      // Lifted over the menu that has just opened, it would press what lies there.
      if (fired.current) event.preventDefault();
    },
    onContextMenu: (event) => {
      if (touched.current) event.preventDefault();
    },
  };
}
