// Theme and density: kept in this browser, in force at once.

export const THEMES = ["system", "light", "dark", "contrast"] as const;
export const DENSITIES = ["cosy", "compact"] as const;
export type Theme = (typeof THEMES)[number];
export type Density = (typeof DENSITIES)[number];

const read = <T extends string>(key: string, all: readonly T[], usual: T): T => {
  const kept = localStorage.getItem(key) as T | null;
  return kept && all.includes(kept) ? kept : usual;
};

export const theme = (): Theme => read("parlor.theme", THEMES, "system");
export const density = (): Density => read("parlor.density", DENSITIES, "cosy");

export function setTheme(value: Theme): void {
  localStorage.setItem("parlor.theme", value);
  if (value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
}

export function setDensity(value: Density): void {
  localStorage.setItem("parlor.density", value);
  document.documentElement.dataset.density = value;
}
