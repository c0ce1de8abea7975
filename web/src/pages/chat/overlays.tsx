import { Create, Shortcuts } from "./later";
import { type ReactNode, Suspense } from "react";
import { page } from "../lazy";

const Switcher = page(() => import("./switcher"));

export type Overlay = "switcher" | "create" | "direct" | "shortcuts";

/** Dialogs that belong to no page. */
export function Overlays({ overlay, close }: { overlay: Overlay | null; close: () => void }): ReactNode {
  return (
    <Suspense fallback={null}>
      {overlay === "switcher" && <Switcher close={close} />}
      {(overlay === "create" || overlay === "direct") && <Create direct={overlay === "direct"} close={close} />}
      {overlay === "shortcuts" && <Shortcuts close={close} />}
    </Suspense>
  );
}
