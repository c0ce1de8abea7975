// The picture of the browser's tab.

let plainIcon: string | undefined;

/** The tab's picture with a mark at its corner, or without. */
export async function drawIcon(mark: string): Promise<void> {
  const link = document.querySelector<HTMLLinkElement>("link[rel~=icon]");
  if (!link) return;
  plainIcon ??= link.href;
  const wanted = (link.dataset.mark = mark);
  if (!mark) {
    link.type = "image/svg+xml";
    link.href = plainIcon;
    return;
  }
  const picture = new Image();
  picture.src = plainIcon;
  await picture.decode().catch(() => undefined);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 64;
  const pen = canvas.getContext("2d");
  // Meanwhile there may be another mark.
  if (!pen || link.dataset.mark !== wanted) return;
  if (picture.naturalWidth > 0) pen.drawImage(picture, 0, 0, 64, 64);
  pen.fillStyle = "#c62828";
  pen.beginPath();
  pen.arc(42, 42, mark === "•" ? 14 : 22, 0, 7);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.font = "bold 30px sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  if (mark !== "•") pen.fillText(mark, 42, 44);
  link.type = "image/png";
  link.href = canvas.toDataURL("image/png");
}
