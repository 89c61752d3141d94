/** Signing in: trades the token of a one-time link for a session, or says how to get such a link. */
import { useEffect, useRef } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Code } from "@/kit/copy";
import { useTitle } from "@/kit/page";
import { signedOutKey, useSignIn } from "./queries";
import styles from "./sign_in.module.css";

const route = getRouteApi("/sign-in");

export function SignInPage() {
  const { token, next } = route.useSearch();
  const navigate = route.useNavigate();
  const signIn = useSignIn();
  const isOut = useQueryClient().getQueryData(signedOutKey) === true && token === undefined;
  useTitle(isOut ? "Signed out" : "Sign in");
  const tried = useRef<string | null>(null);
  const { mutate } = signIn;
  useEffect(() => {
    if (token === undefined || tried.current === token) return;
    tried.current = token; // a link works once, also when React mounts twice
    mutate(token, { onSuccess: () => void navigate({ href: next ?? "/", replace: true }) });
  }, [token, next, mutate, navigate]);
  return (
    <main className={styles["page"]}>
      <div className={styles["card"]}>
        <h1>{isOut ? "You are signed out" : "Sign in to Sternpost"}</h1>
        {isOut && <p role="status">The session has ended on the server, in every tab of this browser.</p>}
        {signIn.error && (
          <p role="alert" className={styles["bad"]}>{signIn.error.message}</p>
        )}
        {token !== undefined && !signIn.error ? <p role="status">Signing in</p> : <HowTo />}
      </div>
    </main>
  );
}

function HowTo() {
  return (
    <>
      <p>Sternpost has no passwords. Create a one-time sign-in link on the machine that runs Sternpost:</p>
      <Code text="sternpost sign-in" label="sign-in command" />
      <p>Open the link it prints in this browser. The first start of <code>sternpost up</code> prints one too.</p>
    </>
  );
}
