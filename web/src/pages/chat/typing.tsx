import { memo, type ReactNode } from "react";
import type { Id } from "@/api/types";
import { useT } from "@/i18n";
import { called } from "@/store/rooms";
import { state, useStore } from "@/store/state";
import css from "./typing.module.css";

const NOBODY: Record<string, number> = {};

/** Who is typing: three names at most, and not read aloud. */
export const Typing = memo(function Typing({ rid }: { rid: Id }): ReactNode {
  const t = useT();
  const typing = useStore((from) => from.typing[rid]) ?? NOBODY;
  const names = Object.keys(typing).map((username) => called(state(), rid, username));
  const [a, b, c] = names;
  const text =
    names.length === 0
      ? ""
      : names.length === 1
        ? t("typing.one", { name: a })
        : names.length === 2
          ? t("typing.two", { a, b })
          : names.length === 3
            ? t("typing.three", { a, b, c })
            : t("typing.many");
  return <p className={css.typing}>{text}</p>;
});
