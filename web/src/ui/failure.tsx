import { Component, type ReactNode } from "react";
import { t } from "@/i18n";
import { Button } from "./button";

/** Shows that something went wrong within, with a way on; what was typed is on disk. */
export class Failure extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
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
