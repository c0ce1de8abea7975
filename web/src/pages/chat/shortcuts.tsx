import { type ReactNode, useState } from "react";
import { useT } from "@/i18n";
import { Dialog } from "@/ui/dialog";
import { Check } from "@/ui/field";
import css from "./shortcuts.module.css";

const KEYS: [string[], string][] = [
  [["Ctrl", "K"], "keys.switcher"],
  [["Ctrl", "F"], "keys.search"],
  [["Alt", "Shift", "↓"], "keys.next"],
  [["F6"], "keys.region"],
  [["↑"], "keys.edit"],
  [["Enter"], "keys.send"],
  [["Shift", "Enter"], "keys.newline"],
  [["Esc"], "keys.close"],
  [["?"], "keys.help"],
];

/** What keys do. */
export default function Shortcuts({ close }: { close: () => void }): ReactNode {
  const t = useT();
  const [letters, setLetters] = useState(localStorage.getItem("parlor.letters") !== "off");
  return (
    <Dialog title={t("keys.title")} close={close}>
      <dl className={css.keys}>
        {KEYS.map(([keys, id]) => (
          <div key={id}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(id)}</dd>
          </div>
        ))}
      </dl>
      <Check
        label={t("keys.letters")}
        hint={t("keys.lettersHint")}
        checked={letters}
        onChange={(event) => {
          setLetters(event.target.checked);
          localStorage.setItem("parlor.letters", event.target.checked ? "on" : "off");
        }}
      />
    </Dialog>
  );
}
