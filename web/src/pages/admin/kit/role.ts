import type { Translate } from "@/i18n";

/** What the roles that come with the server are for, by the words that the server has for it. */
const KNOWN: Record<string, string> = {
  "Answers support cases": "answers",
  "Field staff: opens support cases": "field",
  "Sees the tickets of its vendor": "vendor",
  "Sees tickets about payments": "accounts",
  "Sees the tickets that it verified": "ops",
};

const plain = (text: string): string => text.toLowerCase().replaceAll("-", " ");

/** What a role is for, in the reader's language where it came with the server; nothing where it only repeats the name. */
export function aboutRole(t: Translate, role: { name: string; description?: string }): string {
  const { name, description = "" } = role;
  if (plain(description) === plain(name)) return "";
  const known = KNOWN[description];
  return known ? t(`admin.role.${known}`) : description;
}
