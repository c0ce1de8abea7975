import { type ReactNode, useState } from "react";
import { ApiError, get, post } from "@/api/rest";
import { useT } from "@/i18n";
import { may, useStore } from "@/store/state";
import { Button } from "@/ui/button";
import { Check } from "@/ui/field";
import { Select } from "@/ui/select";
import { toast } from "@/ui/toast";
import { Danger } from "../kit/danger";
import { useLoad } from "../kit/load";
import { Row } from "../kit/page";
import type { Account } from "./types";

type Act = "logout" | "second" | "off" | "on" | "delete";

interface Props {
  account: Account;
  changed: () => void;
  removed: () => void;
}

/** What can be done to an account, each with what will happen. */
export function Acts({ account, changed, removed }: Props): ReactNode {
  const t = useT();
  const [act, setAct] = useState<Act | null>(null);
  const own = useStore((from) => from.me?._id === account._id);
  const permissions = useStore((from) => from.permissions);
  const allowed = (permission: string): boolean => Boolean(permissions[permission]) && may(permission);
  const name = account.name || account.username;
  const close = (): void => setAct(null);
  const done = (): void => {
    toast(t("admin.done"));
    changed();
  };
  const shared = { close, done };
  return (
    <>
      <Row>
        {allowed("logout-other-user") && <Button onClick={() => setAct("logout")}>{t("users.logout")}</Button>}
        {allowed("edit-other-user-totp") && <Button onClick={() => setAct("second")}>{t("users.second")}</Button>}
        {!own && allowed("edit-other-user-active-status") && (
          <Button onClick={() => setAct(account.active ? "off" : "on")}>
            {t(account.active ? "users.deactivate" : "users.activate")}
          </Button>
        )}
        {!own && allowed("delete-user") && (
          <Button kind="danger" onClick={() => setAct("delete")}>
            {t("users.delete")}
          </Button>
        )}
      </Row>
      {act === "logout" && (
        <Danger
          {...shared}
          title={t("users.logoutAsk", { name })}
          yes={t("users.logout")}
          run={() => post("users.logout", { userId: account._id })}
        >
          <p>{t("users.logoutMore")}</p>
        </Danger>
      )}
      {act === "second" && (
        <Danger
          {...shared}
          title={t("users.secondAsk", { name })}
          yes={t("users.second")}
          run={() => post("users.resetTOTP", { userId: account._id })}
        >
          <p>{t("users.secondMore")}</p>
        </Danger>
      )}
      {act === "on" && (
        <Danger
          {...shared}
          title={t("users.activateAsk", { name })}
          yes={t("users.activate")}
          run={() => post("users.setActiveStatus", { userId: account._id, activeStatus: true })}
        >
          <p>{t("users.activateMore")}</p>
        </Danger>
      )}
      {act === "off" && <Off {...shared} account={account} />}
      {act === "delete" && <Delete account={account} close={close} done={removed} />}
    </>
  );
}

const lastOwner = (error: unknown): boolean => error instanceof ApiError && /last-owner/.test(error.code);

/** Rooms whose only owner goes: asked for when the server says so. */
function useRelinquish(): {
  asked: boolean;
  field: ReactNode;
  body: object;
  explain: (error: unknown) => string | undefined;
} {
  const t = useT();
  const [asked, setAsked] = useState(false);
  const [agreed, setAgreed] = useState(false);
  return {
    asked,
    body: agreed ? { confirmRelinquish: true } : {},
    field: asked && (
      <Check
        label={t("users.relinquish")}
        hint={t("users.relinquishMore")}
        checked={agreed}
        onChange={(event) => setAgreed(event.target.checked)}
      />
    ),
    explain: (error) => {
      if (!lastOwner(error)) return undefined;
      setAsked(true);
      return t("users.lastOwner");
    },
  };
}

function Off({ account, close, done }: { account: Account; close: () => void; done: () => void }): ReactNode {
  const t = useT();
  const { field, body, explain } = useRelinquish();
  return (
    <Danger
      title={t("users.deactivateAsk", { name: account.name || account.username })}
      yes={t("users.deactivate")}
      close={close}
      done={done}
      explain={explain}
      run={() => post("users.setActiveStatus", { userId: account._id, activeStatus: false, ...body })}
    >
      <p>{t("users.deactivateMore")}</p>
      {field}
    </Danger>
  );
}

const FATES = ["Delete", "Unlink", "Keep"] as const;

function Delete({ account, close, done }: { account: Account; close: () => void; done: () => void }): ReactNode {
  const t = useT();
  const { field, body, explain } = useRelinquish();
  const usual = useLoad("fate", async () => {
    const found = await get<{ value: string }>("settings/Message_ErasureType").catch(() => ({ value: "Delete" }));
    return found.value;
  });
  const [chosen, setChosen] = useState<string>();
  const fate = chosen ?? usual.value ?? "Delete";
  return (
    <Danger
      title={t("users.deleteAsk", { name: account.name || account.username })}
      yes={t("users.delete")}
      close={close}
      done={() => {
        toast(t("users.deleted"));
        done();
      }}
      explain={explain}
      run={() => post("users.delete", { userId: account._id, messages: fate, ...body })}
    >
      <p>{t("users.deleteMore")}</p>
      <Select
        label={t("users.fate")}
        value={fate}
        choose={setChosen}
        choices={FATES.map((one) => [one, t(`users.fate.${one}`)] as const)}
        hint={t(`users.fateHint.${fate}`, { name: account.name || account.username })}
      />
      {field}
    </Danger>
  );
}
