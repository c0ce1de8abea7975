import { Component, type ReactNode } from "react";
import { t } from "@/i18n";
import { Button } from "./button";

interface Props {
  children: ReactNode;
  /** Where the reader is: what went wrong in one place is tried anew in another. */
  place?: string;
}

interface State {
  failed: boolean;
  place: string | undefined;
}

/** Shows that something went wrong within, with a way on; what was typed is on disk. */
export class Failure extends Component<Props, State> {
  override state: State = { failed: false, place: this.props.place };

  static getDerivedStateFromError(): Partial<State> {
    return { failed: true };
  }

  static getDerivedStateFromProps({ place }: Props, state: State): State | null {
    return place === state.place ? null : { failed: false, place };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <main style={{ maxInlineSize: "32rem", margin: "12vh auto", padding: "0 1.25rem" }}>
        <h1>{t("app.broken")}</h1>
        <p>{t("app.brokenMore")}</p>
        <Button kind="primary" onClick={() => location.reload()}>
          {t("app.reload")}
        </Button>
      </main>
    );
  }
}
