import { type ComponentType, lazy, type LazyExoticComponent } from "react";
import { addCatalog, type Loaders, t } from "@/i18n";
import { toast } from "@/ui/toast";

/** Pause before a part that could not be fetched is tried again (ms); the network's return ends it. */
const AGAIN = 3_000;

const pause = (): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, AGAIN);
    addEventListener("online", done);
  });

/** Once is not enough where the server is away for a moment: what failed for good would take the whole app with it. */
async function patiently<T>(load: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await load();
    } catch {
      if (tries === 0) toast(t("app.partAway"));
      await pause();
    }
  }
}

/**
 * A page that is fetched when it is opened, with its own texts:
 * `page(() => import("./admin"), import.meta.glob("./admin/locales/*.json"))`.
 */
export function page<P>(
  load: () => Promise<{ default: ComponentType<P> }>,
  texts?: Loaders,
): LazyExoticComponent<ComponentType<P>> {
  return lazy(async () => {
    const [module] = await Promise.all([patiently(load), texts ? patiently(() => addCatalog(texts)) : undefined]);
    return module;
  });
}
