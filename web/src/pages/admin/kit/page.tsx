import { ArrowLeft } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { Link } from "wouter";
import { useT } from "@/i18n";
import css from "./kit.module.css";

interface Props {
  title: string;
  /** Buttons beside the title. */
  actions?: ReactNode;
  /** Where the arrow of narrow windows leads. */
  back?: string;
  /** The content fills the height and scrolls within itself: lists. */
  fixed?: boolean;
  children: ReactNode;
}

/** An administration page: its title takes the focus, so that who listens hears where one is. */
export function Page({ title, actions, back = "/admin", fixed = false, children }: Props): ReactNode {
  const t = useT();
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!document.activeElement?.closest("[role=dialog], [role=alertdialog]")) head.current?.focus();
  }, []);
  return (
    <main className={fixed ? css.fixed : css.page}>
      <header className={css.head}>
        <Link href={back} className={css.arrow} aria-label={t("admin.up")} title={t("admin.up")}>
          <ArrowLeft size={20} aria-hidden />
        </Link>
        <h1 ref={head} tabIndex={-1}>
          {title}
        </h1>
        {actions}
      </header>
      {children}
    </main>
  );
}

/** Fields that narrow a list. */
export function Filters({ children }: { children: ReactNode }): ReactNode {
  return <search className={css.filters}>{children}</search>;
}

/** A small mark beside a name; the text says it, the colour only helps. */
export function Mark({ bad = false, children }: { bad?: boolean; children: ReactNode }): ReactNode {
  return <span className={bad ? css.markBad : css.mark}>{children}</span>;
}

/** A part of a page or dialog under a heading of its own. */
export function Part({ title, level = 3, children }: { title: string; level?: 2 | 3; children: ReactNode }): ReactNode {
  const Heading = `h${level}` as const;
  return (
    <section className={css.part}>
      <Heading>{title}</Heading>
      {children}
    </section>
  );
}

/** Buttons in a row. */
export function Row({ children }: { children: ReactNode }): ReactNode {
  return <div className={css.buttons}>{children}</div>;
}

/** Facts as names and values. */
export function Facts({ facts }: { facts: (readonly [name: string, value: ReactNode])[] }): ReactNode {
  return (
    <dl className={css.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
