import { useEffect } from "react";
import { useLocation } from "wouter";
import { isUnread, ordered } from "@/store/rooms";
import { state } from "@/store/state";
import type { Overlay } from "./overlays";
import { roomPath } from "./place";

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;

/** Landmarks that F6 goes through. */
function cycle(back: boolean): void {
  const all = [
    ...document.querySelectorAll<HTMLElement>("nav[tabindex], #messages, #composer textarea, aside[tabindex]"),
  ];
  const shown = all.filter((one) => one.offsetParent !== null);
  const now = shown.findIndex((one) => one === document.activeElement || one.contains(document.activeElement));
  shown[(now + (back ? -1 : 1) + shown.length) % shown.length]?.focus();
}

/** Where one searches from here: in the room that is shown, or in all. */
function searchOf(location: string): string {
  const [, kind = "", name = ""] = location.split("/");
  return ["channel", "group", "direct"].includes(kind) && name ? `/${kind}/${name}/search` : "/search";
}

/** Keys of the whole app. Single letters can be turned off, for those who speak to their machine. */
export function useShortcuts(open: (overlay: Overlay) => void): void {
  const [location, go] = useLocation();
  useEffect(() => {
    const key = (event: KeyboardEvent): void => {
      if (event.isComposing || event.defaultPrevented) return;
      const command = event.ctrlKey || event.metaKey;
      if (command && event.key.toLowerCase() === "k") open("switcher");
      else if (command && !event.shiftKey && event.key.toLowerCase() === "f") {
        const to = searchOf(location);
        // A second time it is the browser's own.
        if (location === to || document.querySelector("[role=dialog], [role=alertdialog]")) return;
        go(to);
      } else if (event.key === "F6") cycle(event.shiftKey);
      else if (event.altKey && event.shiftKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
        const waiting = ordered(state()).filter(isUnread);
        const next = event.key === "ArrowDown" ? waiting[0] : waiting.at(-1);
        if (next) go(roomPath(next.rid));
      } else if (event.key === "?" && !isTyping(event.target) && localStorage.getItem("parlor.letters") !== "off") {
        open("shortcuts");
      } else return;
      event.preventDefault();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [location, go, open]);
}
