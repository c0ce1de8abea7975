import { type ComponentType, lazy, type LazyExoticComponent } from "react";
import { addCatalog, type Loaders } from "@/i18n";

/**
 * A page that is fetched when it is opened, with its own texts:
 * `page(() => import("./admin"), import.meta.glob("./admin/locales/*.json"))`.
 */
export function page<P>(
  load: () => Promise<{ default: ComponentType<P> }>,
  texts?: Loaders,
): LazyExoticComponent<ComponentType<P>> {
  return lazy(async () => {
    const [module] = await Promise.all([load(), texts ? addCatalog(texts) : undefined]);
    return module;
  });
}
