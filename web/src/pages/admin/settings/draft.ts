// What was changed and not saved yet. It outlives the page, so that nothing typed is lost on a detour.

import { create } from "zustand";

export type Value = boolean | number | string | string[] | object;

export interface Setting {
  _id: string;
  value: Value;
  packageValue: Value;
  type: "boolean" | "int" | "float" | "string" | "password" | "select" | "multiSelect" | "asset";
  group: string;
  section: string;
  public: boolean;
  secret: boolean;
  values?: { key: string; i18nLabel: string }[];
}

interface Draft {
  values: Record<string, Value>;
  /** What the server said of a value. */
  problems: Record<string, string>;
}

export const useDraft = create<Draft>(() => ({ values: {}, problems: {} }));

export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Notes a value; one that is as it was is none. */
export function note(setting: Setting, value: Value): void {
  useDraft.setState(({ values, problems }) => {
    const next = { ...values };
    const left = { ...problems };
    delete left[setting._id];
    if (same(value, setting.secret ? "" : setting.value) && !(setting.secret && setting.value !== "")) {
      delete next[setting._id];
    } else next[setting._id] = value;
    return { values: next, problems: left };
  });
}

/** Takes a value back. */
export function forget(id: string): void {
  useDraft.setState(({ values, problems }) => {
    const [next, left] = [{ ...values }, { ...problems }];
    delete next[id];
    delete left[id];
    return { values: next, problems: left };
  });
}

export const discard = (): void => useDraft.setState({ values: {}, problems: {} });

/** Whether somebody chose another value than the one that comes with the server. */
export const isChosen = (setting: Setting): boolean =>
  setting.secret ? setting.value !== "" : !same(setting.value, setting.packageValue);
