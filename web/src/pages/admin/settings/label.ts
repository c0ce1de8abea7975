import { i18n } from "@lingui/core";
import { t } from "@/i18n";

/** Words that stay as they are written. */
const NAMES =
  /^(API|REST|DDP|CORS|SMTP|URL|URLs|IP|E2E|OTR|TOTP|OAuth|CAS|CROWD|LDAP|CDN|SSL|CSS|UI|DMs|DM|ID|SSRF|TTL|UTF8|VoIP|SIP|JWT|Jitsi|Google|Github|Gitlab|Facebook|Twitter|Linkedin|Meteor|Matrix|Exif|Iframe)$/;
const PREFIX =
  /^(Accounts_Default_User_Preferences|Accounts_TwoFactorAuthentication|Accounts_Password_Policy|Accounts_RegistrationForm|Accounts|API|DDP_Rate_Limit|Message|FileUpload|RetentionPolicy|Layout|Assets|Livechat|VideoConf)_(?=.)/;

/** A name made of an id: for settings that have no text of their own. */
function made(id: string): string {
  const words = id
    .replace(PREFIX, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .split(/[_\s-]+/)
    .map((word) => (NAMES.test(word) ? word : word.toLowerCase()));
  const text = words.join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const told = (id: string, otherwise: string): string => (i18n.messages[id] ? t(id) : otherwise);

export const label = (id: string): string => told(`config.name.${id}`, made(id));
export const group = (id: string): string => told(`config.group.${id}`, id);
export const section = (id: string): string => told(`config.section.${id}`, id);
