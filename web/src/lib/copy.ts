// Putting a text on the clipboard, also where browsers keep theirs for pages that came by TLS.

/** Rejects where neither way is open. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  const before = document.activeElement;
  area.value = text;
  area.readOnly = true;
  area.style.position = "fixed";
  area.style.opacity = "0";
  // Within an open dialog: what lies outside of it takes no focus.
  (before?.closest("[role=dialog], [role=alertdialog]") ?? document.body).append(area);
  area.select();
  // The old way is the only one there is without TLS.
  const done = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  if (!done) throw new DOMException("nothing was copied", "NotAllowedError");
}
