/** How an application of each kind reaches Sternpost, as tabs. */
import { useState, type ReactNode } from "react";
import { Link } from "@tanstack/react-router";
import { publicUrl } from "@/client/base";
import { Code } from "@/kit/copy";
import { Tabs } from "@/kit/tabs";
import { anthropicSnippets, keySnippets, openaiSnippets, otelSnippets, type Snippet } from "./snippets";
import styles from "./page.module.css";

const MODEL = "offline/extract-large";

export function Commands({ shownKey }: { shownKey: string }) {
  const [chosen, setChosen] = useState("openai");
  const tabs = [
    { id: "openai", title: "OpenAI", content: <Kind snippets={openaiSnippets(publicUrl, shownKey, MODEL)} note={<Offline />} /> },
    { id: "anthropic", title: "Anthropic", content: <Kind snippets={anthropicSnippets(publicUrl, shownKey, MODEL)} note={<Offline />} /> },
    { id: "otel", title: "OpenTelemetry", content: <Kind snippets={otelSnippets(publicUrl, shownKey)} note={<Otel />} /> },
    { id: "keys", title: "Provider keys", content: <Kind snippets={keySnippets} note={<ProviderKeys />} /> },
  ];
  return <Tabs label="Kind of application" tabs={tabs} selected={chosen} onSelect={setChosen} />;
}

function Kind({ snippets, note }: { snippets: Snippet[]; note: ReactNode }) {
  const [chosen, setChosen] = useState(snippets[0]!.id);
  const tabs = snippets.map(({ id, title, text }) => ({
    id, title, content: <div className={styles["snippet"]}><Code text={text} label={`${title} commands`} /></div>,
  }));
  return (
    <div className={styles["kind"]}>
      <Tabs label="Language" tabs={tabs} selected={chosen} onSelect={setChosen} />
      {note}
    </div>
  );
}

function Offline() {
  return (
    <p>
      <code>{MODEL}</code> is built in and needs no provider: it quotes sentences from the messages it is given, it is not a language model.
      For a real one, set the provider's key (last tab) and use a name from <Link to="/models">Models</Link>.
    </p>
  );
}

function Otel() {
  return (
    <p>
      Any instrumentation that sends OTLP over HTTP works: the OpenTelemetry SDKs read these variables. Its spans of models,
      tools and retrievers become traces like those of calls through the gateway.
    </p>
  );
}

function ProviderKeys() {
  return (
    <p>
      Provider keys stay where Sternpost runs, in its environment, in a file <code>.env</code> in the folder it is started in, or in <code>sternpost.yaml</code> there or
      in the data folder; applications never see them. After a restart the provider is listed first on <Link to="/models">Models</Link> as
      {" "}"Ready", with the variable that its key was read from, and <code>sternpost up</code> lists it. Without a key, calls to it get the error <code>provider_not_configured</code>, which
      names the missing variable.
    </p>
  );
}
