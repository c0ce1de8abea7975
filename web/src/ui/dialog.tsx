import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Dialog as AriaDialog } from "react-aria-components/Dialog";
import { Heading } from "react-aria-components/Heading";
import { Modal, ModalOverlay } from "react-aria-components/Modal";
import { useT } from "@/i18n";
import { IconButton } from "./button";
import css from "./dialog.module.css";

interface Props {
  title: string;
  close: () => void;
  children: ReactNode;
  /** Takes the whole window: pictures. */
  whole?: boolean;
  wide?: boolean;
  alert?: boolean;
  /** A press beside it does not close it. */
  stays?: boolean;
}

/** A dialog over the page. Esc and a press beside it close it; focus goes back where it came from. */
export function Dialog({
  title,
  close,
  children,
  whole = false,
  wide = false,
  alert = false,
  stays = alert,
}: Props): ReactNode {
  const t = useT();
  const change = (open: boolean): void => {
    if (!open) close();
  };
  return (
    <ModalOverlay className={css.overlay ?? ""} isOpen onOpenChange={change} isDismissable={!stays}>
      <Modal className={`${css.modal} ${whole ? css.whole : ""} ${wide ? css.wide : ""}`}>
        <AriaDialog className={css.dialog ?? ""} role={alert ? "alertdialog" : "dialog"}>
          <header className={css.header}>
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            <IconButton label={t("dialog.close")} onClick={close}>
              <X size={20} aria-hidden />
            </IconButton>
          </header>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

/** The buttons at a dialog's end. */
export function Footer({ children }: { children: ReactNode }): ReactNode {
  return <footer className={css.footer}>{children}</footer>;
}
