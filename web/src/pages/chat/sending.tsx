import { memo, type ReactNode, Suspense } from "react";
import type { Id } from "@/api/types";
import { useUploads } from "@/store/uploads";
import { Uploads } from "./later";

/** Files to send, as soon as there are some. */
export const Sending = memo(function Sending({ rid, tmid }: { rid: Id; tmid?: Id }): ReactNode {
  const some = useUploads(({ all }) => all.some((one) => one.rid === rid && one.tmid === tmid));
  return (
    some && (
      <Suspense fallback={null}>
        <Uploads rid={rid} tmid={tmid} />
      </Suspense>
    )
  );
});
