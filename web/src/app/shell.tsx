/** The frame around every signed-in page: navigation, palette, shortcut sheet. */
import { useState } from "react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Navigate, Outlet, useNavigate, useRouter } from "@tanstack/react-router";
import { sessionQuery, signedOutKey, useSignOut, useSignOutElsewhere } from "@/capabilities/access/queries";
import { ProblemBanner } from "@/capabilities/configuration/parts/problem_banner";
import type { Session } from "@/client/types";
import { Button } from "@/kit/button";
import { useHotkeys } from "@/kit/hotkeys";
import { Icon } from "@/kit/icons";
import { Failure } from "@/kit/states";
import { Palette } from "./palette";
import { pages } from "./pages";
import styles from "./shell.module.css";
import { statusQuery } from "./queries";
import { Shortcuts } from "./shortcuts";
import { ThemeSwitch } from "./theme_switch";

export function Shell() {
  const session = useQuery(sessionQuery);
  useSignOutElsewhere();
  if (session.data) return <Frame session={session.data} />;
  if (session.data === null) return <ToSignIn />;
  if (session.error) return <Failure what="Sternpost can't be reached" error={session.error} retry={() => void session.refetch()} />;
  return null;
}

/** Remembers where the reader was at the first moment only: the address changes while this still stands. */
function ToSignIn() {
  const here = useRouter().state.location.href;
  const isChosen = useQueryClient().getQueryData(signedOutKey) === true; // whoever signed out wants to go nowhere
  const [search] = useState(here === "/" || isChosen ? {} : { next: here });
  return <Navigate to="/sign-in" search={search} replace />;
}

function Frame({ session }: { session: Session }) {
  const [layer, setLayer] = useState<"palette" | "shortcuts" | null>(null);
  const close = (): void => setLayer(null);
  useShellKeys(setLayer);
  return (
    <div className={styles["shell"]}>
      <a className={styles["skip"]} href="#content">Skip to content</a>
      <Rail session={session} onPalette={() => setLayer("palette")} onShortcuts={() => setLayer("shortcuts")} />
      <div className={styles["content"]} id="content" tabIndex={-1}>
        <ProblemBanner />
        <Outlet />
      </div>
      <Palette isOpen={layer === "palette"} onClose={close} onShortcuts={() => setLayer("shortcuts")} />
      <Shortcuts isOpen={layer === "shortcuts"} onClose={close} />
    </div>
  );
}

function useShellKeys(setLayer: (layer: "palette" | "shortcuts") => void): void {
  const navigate = useNavigate();
  useHotkeys({
    "Mod+k": (event) => {
      event.preventDefault();
      setLayer("palette");
    },
    "?": () => setLayer("shortcuts"),
    ...Object.fromEntries(pages.map(({ letter, to }) => [`g ${letter}`, () => void navigate({ to })])),
  });
}

interface RailProps {
  session: Session;
  onPalette: () => void;
  onShortcuts: () => void;
}

function Rail({ session, onPalette, onShortcuts }: RailProps) {
  const signOut = useSignOut();
  return (
    <aside aria-label="Sternpost" className={styles["rail"]}>
      <div className={styles["brand"]}>
        <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M23 9.500C20 5 9 5 9 11s14 4 14 10.500S11 27 8.500 22" fill="none" stroke="var(--accent)" strokeWidth="3.400" strokeLinecap="round" strokeLinejoin="round" />
        </svg>
        <span>Sternpost</span>
      </div>
      <div className={styles["project"]} title={session.project_id}>Project {session.project_name || session.project_id}</div>
      <Button kind="plain" onPress={onPalette} aria-keyshortcuts="Control+K">
        <Icon name="search" />
        <span className={styles["wide"]}>Go to</span>
        <kbd className={styles["kbd"]}>Ctrl K</kbd>
      </Button>
      <nav aria-label="Pages" className={styles["nav"]}>
        {pages.map((page) => (
          <Link key={page.to} to={page.to} className={styles["link"]!} activeOptions={{ exact: page.to === "/", includeSearch: false }} activeProps={{ "data-active": true }}>
            <Icon name={page.icon} />
            {page.title}
          </Link>
        ))}
      </nav>
      <div className={styles["foot"]}>
        <ThemeSwitch />
        <div className={styles["account"]}>
          <span title={session.user?.is_admin ? "Administrator" : "Reader"}>{session.user?.name ?? "key"}</span>
          <Button kind="bare" onPress={onShortcuts} aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)">?</Button>
          <Button kind="bare" onPress={() => signOut.mutate()} isDisabled={signOut.isPending}>Sign out</Button>
        </div>
        <Version />
      </div>
    </aside>
  );
}

function Version() {
  const status = useQuery(statusQuery);
  return <div className={styles["version"]}>Sternpost {status.data?.version ?? ""}</div>;
}
