import { type ReactNode, useEffect, useMemo, useState } from "react";
import { intl, useT } from "@/i18n";
import { lately, took } from "@/lib/recent";
import { fit } from "@/lib/text";
import { type EmojiRow, loadEmoji } from "@/markup/emoji";
import { useStore } from "@/store/state";
import { Dialog } from "@/ui/dialog";
import { Field } from "@/ui/field";
import css from "./emoji-picker.module.css";

const GROUPS = [0, 1, 3, 4, 5, 6, 7, 8, 9];

interface Shown {
  code: string;
  name: string;
  char?: string;
  src?: string;
  group: number;
  words: string;
}

/** Choosing an emoji: the last used first, then by group; found by its names in the reader's language and in English. */
export default function EmojiPicker({
  choose,
  close,
}: {
  choose: (code: string) => void;
  close: () => void;
}): ReactNode {
  const t = useT();
  const [rows, setRows] = useState<EmojiRow[]>([]);
  const [wanted, setWanted] = useState("");
  const custom = useStore((state) => state.emoji);
  useEffect(() => {
    loadEmoji(intl())
      .then(setRows)
      .catch(() => setRows([]));
  }, []);
  const all = useMemo<Shown[]>(() => {
    // One picture with several names stands there once, and is found by each of them.
    const names = Object.entries(custom).reduce<Record<string, string[]>>(
      (before, [code, src]) => ({ ...before, [src]: [...(before[src] ?? []), code] }),
      {},
    );
    const own = Object.entries(names).map(([src, codes]) => {
      const [code = ""] = codes;
      return { code, name: code, src, group: 99, words: ` ${codes.join(" ")} ` };
    });
    const known = rows.map(([char, group, codes, name, tags]) => ({
      code: codes.split(" ")[0] ?? "",
      name,
      char,
      group,
      words: `${name} ${tags} ${codes} `,
    }));
    return [...own, ...known.filter(({ code }) => code)];
  }, [rows, custom]);
  const pick = (code: string): void => {
    took(code);
    choose(code);
  };
  const found = wanted ? all.filter((one) => fit(one.words, wanted) > 1).slice(0, 80) : [];
  const recent = lately().flatMap(
    (code) => all.find((one) => one.code === code) ?? all.find((one) => one.words.includes(` ${code} `)) ?? [],
  );
  const sections: [string, Shown[]][] = wanted
    ? [[t("emoji.found"), found]]
    : [
        [t("emoji.recent"), recent],
        ...(all.some((one) => one.src) ? [[t("emoji.custom"), all.filter((one) => one.src)] as [string, Shown[]]] : []),
        ...GROUPS.map((group): [string, Shown[]] => [
          t(`emoji.group${group}`),
          all.filter((one) => one.group === group),
        ]),
      ];
  return (
    <Dialog title={t("emoji.title")} close={close}>
      <Field
        label={t("emoji.search")}
        type="search"
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- one types what one looks for
        autoFocus
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
        onKeyDown={(event) => event.key === "Enter" && found[0] && pick(found[0].code)}
      />
      <div className={css.all}>
        {sections.map(([name, list]) => (
          <section key={name} aria-label={name}>
            <h3>{name}</h3>
            <div className={css.grid}>
              {list.map((one) => (
                <button
                  key={one.code}
                  type="button"
                  aria-label={one.name}
                  title={`:${one.code}:`}
                  onClick={() => pick(one.code)}
                >
                  {one.src ? <img src={one.src} alt="" width={24} height={24} /> : one.char}
                </button>
              ))}
            </div>
            {wanted && list.length === 0 && <p>{t("emoji.none")}</p>}
          </section>
        ))}
      </div>
    </Dialog>
  );
}
