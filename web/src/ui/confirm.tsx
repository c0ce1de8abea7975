import type { ReactNode } from "react";
import { useT } from "@/i18n";
import { Button } from "./button";
import { Dialog, Footer } from "./dialog";

interface Props {
  title: string;
  text: string;
  yes: string;
  run: () => void;
  close: () => void;
}

/** Asks before something that can't be undone. */
export default function Confirm({ title, text, yes, run, close }: Props): ReactNode {
  const t = useT();
  return (
    <Dialog title={title} close={close} alert>
      <p>{text}</p>
      <Footer>
        {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- the harmless answer comes first */}
        <Button onClick={close} autoFocus>
          {t("dialog.cancel")}
        </Button>
        <Button
          kind="danger"
          onClick={() => {
            run();
            close();
          }}
        >
          {yes}
        </Button>
      </Footer>
    </Dialog>
  );
}
